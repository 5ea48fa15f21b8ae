/* 1x1 convolution of int16 values without padding: the inputs of a pixel are read where they lie.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POINTWISE_16_H
#define TE_POINTWISE_16_H

#include "te_dot_16.h"
#include "te_rows.h"

typedef struct {
    int32_t stride_rows;
    int32_t stride_cols;
    te_matrix_16_t matrix; /* depth = channels of the input */
} te_pointwise_16_t;

TE_INLINE void te_pointwise_16(const te_pointwise_16_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row * op->stride_rows, strip.from * op->stride_cols);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const int8_t *from = te_pixel(x, column * op->stride_cols);
            te_matrix_16(&op->matrix, (const int16_t *)(const void *)from, (int16_t *)(void *)te_pixel(y, column));
        }
    }
}

#endif
