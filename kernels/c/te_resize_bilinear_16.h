/* An image of int16 at another size: each pixel is a weighted mean of two by two.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_RESIZE_BILINEAR_16_H
#define TE_RESIZE_BILINEAR_16_H

#include "te_bilinear.h"

typedef te_bilinear_t te_resize_bilinear_16_t;

/* Rows first: a sum of two fits 32 bits, one of four does not. */
TE_INLINE void te_resize_bilinear_16_pixel(const te_bilinear_t *op, te_bilinear_pair top, te_bilinear_pair bottom,
                                           int32_t down, int8_t *y, int32_t channels)
{
    const int32_t up = TE_WEIGHTS - down, right = top.weight, left = TE_WEIGHTS - right;
    for (int32_t i = 0; i < channels; i++) {
        const int32_t above = te_value(top.first, i, 2) * left + te_value(top.second, i, 2) * right;
        const int32_t below = te_value(bottom.first, i, 2) * left + te_value(bottom.second, i, 2) * right;
        const int64_t sum = (int64_t)above * up + (int64_t)below * down;
        te_put(y, i, 2, (int32_t)((sum + (1 << 19) - (op->ties_up ? 0 : sum < 0)) >> 20));
    }
}

TE_INLINE void te_resize_bilinear_16(const te_resize_bilinear_16_t *op, te_rows in, te_rows out, te_strip strip,
                                     void *scratch)
{
    const int32_t from = op->columns[2 * strip.from];
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const uint16_t *tap = op->rows + 2 * row;
        const te_line above = te_line_of(in, tap[0], from), below = te_line_of(in, tap[0] + (tap[1] != 0), from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const te_bilinear_pair top = te_bilinear_pixels(above, op->columns + 2 * column);
            const te_bilinear_pair bottom = te_bilinear_pixels(below, op->columns + 2 * column);
            te_resize_bilinear_16_pixel(op, top, bottom, tap[1], te_pixel(y, column), out.pixel_bytes / 2);
        }
    }
}

#endif
