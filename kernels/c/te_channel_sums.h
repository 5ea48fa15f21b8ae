/* Sums of the pixels of an image, channel by channel, as its parts arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CHANNEL_SUMS_H
#define TE_CHANNEL_SUMS_H

#include "te_rows.h"

/* `pixels` neighbours, `lanes` channels (up to 4) at a time. */
TE_INLINE void te_channel_sums_lanes(const int8_t *x, int32_t pixels, int32_t channels, int32_t lanes, int32_t *sums)
{
    int32_t sum[4] = {0, 0, 0, 0};
    for (int32_t pixel = 0; pixel < pixels; pixel++, x += channels) {
        TE_UNROLL
        for (int32_t i = 0; i < lanes; i++) {
            sum[i] += x[i];
        }
    }
    TE_UNROLL
    for (int32_t i = 0; i < lanes; i++) {
        sums[i] += sum[i];
    }
}

TE_INLINE void te_channel_sums_run(const int8_t *x, int32_t pixels, int32_t channels, int32_t *sums)
{
    const int32_t whole = channels - channels % 4;
    for (int32_t channel = 0; channel < whole; channel += 4) {
        te_channel_sums_lanes(x + channel, pixels, channels, 4, sums + channel);
    }
    for (int32_t channel = whole; channel < channels; channel++) {
        te_channel_sums_lanes(x + channel, pixels, channels, 1, sums + channel);
    }
}

/* Adds a part of the image; its first part starts from zero. Are the sums those of the whole image now? */
TE_INLINE int te_channel_sums(te_rows in, te_strip strip, int32_t *sums)
{
    for (int32_t channel = 0; channel < in.pixel_bytes && strip.first == 0 && strip.from == 0; channel++) {
        sums[channel] = 0;
    }
    if (te_is_flat(in, strip)) {
        const int32_t pixels = (strip.last - strip.first) * in.columns;
        te_channel_sums_run(te_line_of(in, strip.first, 0).start, pixels, in.pixel_bytes, sums);
        return strip.last == in.rows;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, strip.to);
            te_channel_sums_run(te_pixel(x, from), to - from, in.pixel_bytes, sums);
        }
    }
    return strip.last == in.rows && strip.to == in.columns;
}

#endif
