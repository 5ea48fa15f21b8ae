/* Which pixels an image at another size is interpolated from, and how they weigh.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_BILINEAR_H
#define TE_BILINEAR_H

#include "te_rows.h"
#include "te_value.h"

#define TE_WEIGHTS 1024 /* of two neighbours together */

/* Two numbers for each row and each column of the output: the first of the input that it sees, and the weight of the
 * one after it. If that is 0, the one after it may not be there. */
typedef struct {
    const uint16_t *rows;
    const uint16_t *columns;
    int32_t ties_up; /* or else away from zero */
} te_bilinear_t;

typedef struct {
    const int8_t *first;
    const int8_t *second;
    int32_t weight; /* of the second */
} te_bilinear_pair;

TE_INLINE te_bilinear_pair te_bilinear_pixels(te_line line, const uint16_t *tap)
{
    const int32_t column = tap[0];
    const te_bilinear_pair pair = {te_pixel(line, column), te_pixel(line, column + (tap[1] != 0)), tap[1]};
    return pair;
}

/* All four weights at once: 2^20 of them and a byte fit 32 bits. */
TE_INLINE void te_bilinear_bytes(const te_bilinear_t *op, te_bilinear_pair top, te_bilinear_pair bottom,
                                 int32_t down, int8_t *y, int32_t channels)
{
    const int32_t up = TE_WEIGHTS - down, right = top.weight, left = TE_WEIGHTS - right;
    const int32_t a = up * left, b = up * right, c = down * left, d = down * right;
    for (int32_t i = 0; i < channels; i++) {
        const int32_t sum = top.first[i] * a + top.second[i] * b + bottom.first[i] * c + bottom.second[i] * d;
        y[i] = (int8_t)((sum + (1 << 19) - (op->ties_up ? 0 : sum < 0)) >> 20);
    }
}

/* Rows first: a sum of two fits 32 bits, one of four does not. */
TE_INLINE void te_bilinear_shorts(const te_bilinear_t *op, te_bilinear_pair top, te_bilinear_pair bottom,
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

/* What one call computes, of elements of 1 or 2 bytes. */
TE_INLINE void te_bilinear(const te_bilinear_t *op, te_rows in, te_rows out, te_strip strip, int32_t bytes)
{
    const int32_t from = op->columns[2 * strip.from];
    for (int32_t row = strip.first; row < strip.last; row++) {
        const uint16_t *tap = op->rows + 2 * row;
        const te_line above = te_line_of(in, tap[0], from), below = te_line_of(in, tap[0] + (tap[1] != 0), from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const te_bilinear_pair top = te_bilinear_pixels(above, op->columns + 2 * column);
            const te_bilinear_pair bottom = te_bilinear_pixels(below, op->columns + 2 * column);
            if (bytes == 1) {
                te_bilinear_bytes(op, top, bottom, tap[1], te_pixel(y, column), out.pixel_bytes);
            } else {
                te_bilinear_shorts(op, top, bottom, tap[1], te_pixel(y, column), out.pixel_bytes / 2);
            }
        }
    }
}

#endif
