/* Sums of the pixels of an image, channel by channel, as its parts arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CHANNEL_SUMS_H
#define TE_CHANNEL_SUMS_H

#include "te_rows.h"
#include "te_value.h"

/* Neighbouring pixels; elements of one or two bytes. */
typedef struct {
    const int8_t *x;
    int32_t pixels;
    int32_t channels;
    int32_t bytes;
} te_channel_run;

/* `lanes` channels (up to 4) at a time, from `channel` on. */
TE_INLINE void te_channel_sums_lanes(te_channel_run run, int32_t channel, int32_t lanes, uint32_t *sums)
{
    uint32_t sum[4] = {0, 0, 0, 0};
    const int8_t *x = run.x + channel * run.bytes;
    for (int32_t pixel = 0; pixel < run.pixels; pixel++, x += run.channels * run.bytes) {
        TE_UNROLL
        for (int32_t i = 0; i < lanes; i++) {
            sum[i] += (uint32_t)te_value(x, i, run.bytes);
        }
    }
    TE_UNROLL
    for (int32_t i = 0; i < lanes; i++) {
        sums[channel + i] += sum[i];
    }
}

TE_INLINE void te_channel_sums_run(te_channel_run run, uint32_t *sums)
{
    const int32_t whole = run.channels - run.channels % 4;
    for (int32_t channel = 0; channel < whole; channel += 4) {
        te_channel_sums_lanes(run, channel, 4, sums);
    }
    for (int32_t channel = whole; channel < run.channels; channel++) {
        te_channel_sums_lanes(run, channel, 1, sums);
    }
}

/* Adds a part of the image; its first part starts from zero. Are the sums those of the whole image now? */
TE_INLINE int te_channel_sums(te_rows in, te_strip strip, int32_t bytes, uint32_t *sums)
{
    te_channel_run run = {0, 0, in.pixel_bytes / bytes, bytes};
    for (int32_t channel = 0; channel < run.channels && strip.first == 0 && strip.from == 0; channel++) {
        sums[channel] = 0;
    }
    if (te_is_flat(in, strip)) {
        run.x = te_line_of(in, strip.first, 0).start;
        run.pixels = (strip.last - strip.first) * in.columns;
        te_channel_sums_run(run, sums);
        return strip.last == in.rows;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, strip.to);
            run.x = te_pixel(x, from);
            run.pixels = to - from;
            te_channel_sums_run(run, sums);
        }
    }
    return strip.last == in.rows && strip.to == in.columns;
}

#endif
