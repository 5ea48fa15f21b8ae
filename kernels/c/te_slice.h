/* Some rows, columns and channels of an image, at equal distances.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SLICE_H
#define TE_SLICE_H

#include "te_copy_pixel.h"
#include "te_rows.h"

typedef struct {
    int32_t row; /* the first that is taken */
    int32_t row_step;
    int32_t column;
    int32_t column_step;
    int32_t channel; /* in bytes */
    int32_t channel_step;
    int32_t piece; /* bytes that stay together: one channel, or all */
} te_slice_t;

TE_INLINE void te_slice_pixel(const te_slice_t *op, const int8_t *x, int8_t *y, int32_t bytes)
{
    for (int32_t i = 0; i < bytes / op->piece; i++) {
        te_copy_pixel(y + i * op->piece, x + op->channel + i * op->channel_step, op->piece);
    }
}

TE_INLINE void te_slice(const te_slice_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, op->row + row * op->row_step, op->column + strip.from * op->column_step);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_slice_pixel(op, te_pixel(x, op->column + column * op->column_step), te_pixel(y, column),
                           out.pixel_bytes);
        }
    }
}

#endif
