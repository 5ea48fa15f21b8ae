/* An image of bytes at another size: each pixel is a weighted mean of two by two.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_RESIZE_BILINEAR_H
#define TE_RESIZE_BILINEAR_H

#include "te_bilinear.h"

typedef te_bilinear_t te_resize_bilinear_t;

/* All four weights at once: 2^20 of them and a byte fit 32 bits. */
TE_INLINE void te_resize_bilinear_pixel(const te_bilinear_t *op, te_bilinear_pair top, te_bilinear_pair bottom,
                                        int32_t down, int8_t *y, int32_t channels)
{
    const int32_t up = TE_WEIGHTS - down, right = top.weight, left = TE_WEIGHTS - right;
    const int32_t a = up * left, b = up * right, c = down * left, d = down * right;
    for (int32_t i = 0; i < channels; i++) {
        const int32_t sum = top.first[i] * a + top.second[i] * b + bottom.first[i] * c + bottom.second[i] * d;
        y[i] = (int8_t)((sum + (1 << 19) - (op->ties_up ? 0 : sum < 0)) >> 20);
    }
}

TE_INLINE void te_resize_bilinear(const te_resize_bilinear_t *op, te_rows in, te_rows out, te_strip strip,
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
            te_resize_bilinear_pixel(op, top, bottom, tap[1], te_pixel(y, column), out.pixel_bytes);
        }
    }
}

#endif
