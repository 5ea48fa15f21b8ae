/* Mean or sum of all pixels of an image, channel by channel, from its parts as they arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POOL_SUMS_H
#define TE_POOL_SUMS_H

#include "te_dsp_finish.h"
#include "te_rows.h"

enum { TE_POOL_PIXELS = 256 }; /* of bytes, that fit a sum of 16 bits */

/* Adds so many neighbouring pixels to the sums. */
typedef void (*te_pool_sums_add)(const int8_t *x, int32_t pixels, int32_t *sums);

typedef struct {
    te_pool_sums_add add;
    int32_t bias;
    uint32_t words[2]; /* mantissa and addend, the same for all channels */
    te_dsp_requant_t how;
} te_pool_sums_t;

TE_INLINE void te_pool_sums_run(const te_pool_sums_t *op, const int8_t *x, int32_t pixels, int32_t channels,
                                int32_t *sums)
{
    for (; pixels > 0; pixels -= TE_POOL_PIXELS, x += TE_POOL_PIXELS * channels) {
        op->add(x, te_min(pixels, TE_POOL_PIXELS), sums);
    }
}

TE_INLINE void te_pool_sums_part(const te_pool_sums_t *op, te_rows in, te_strip strip, int32_t *sums)
{
    if (te_is_flat(in, strip)) {
        te_pool_sums_run(op, te_line_of(in, strip.first, 0).start, (strip.last - strip.first) * in.columns,
                         in.pixel_bytes, sums);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, strip.to);
            te_pool_sums_run(op, te_pixel(x, from), to - from, in.pixel_bytes, sums);
        }
    }
}

/* scratch: a sum for each channel, kept from the first part to the last */
TE_INLINE void te_pool_sums(const te_pool_sums_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    int32_t *sums = (int32_t *)scratch;
    for (int32_t channel = 0; channel < in.pixel_bytes && strip.first == 0 && strip.from == 0; channel++) {
        sums[channel] = op->bias;
    }
    te_pool_sums_part(op, in, strip, sums);
    if (strip.last == in.rows && strip.to == in.columns) {
        int8_t *y = te_line_of(out, 0, 0).start;
        TE_UNROLL
        for (int32_t channel = 0; channel < in.pixel_bytes; channel++) {
            y[channel] = te_dsp_finish((uint32_t)sums[channel], op->words, op->how);
        }
    }
}

/* C twin of the assembly. */
TE_INLINE void te_pool_sums_twin(const int8_t *x, int32_t pixels, int32_t *sums, int32_t channels)
{
    for (int32_t pixel = 0; pixel < pixels; pixel++, x += channels) {
        for (int32_t channel = 0; channel < channels; channel++) {
            sums[channel] += x[channel];
        }
    }
}

#endif
