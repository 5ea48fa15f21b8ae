/* 1x1 convolution without padding: the inputs of a pixel are read where they lie.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POINTWISE_H
#define TE_POINTWISE_H

#include "te_dot.h"
#include "te_rows.h"

typedef struct {
    int32_t in_cols;
    int32_t out_cols;
    int32_t stride_rows;
    int32_t stride_cols;
    te_matrix_t matrix; /* depth = input channels */
} te_pointwise_t;

TE_INLINE void te_pointwise_pixels(const te_pointwise_t *op, const int8_t *x, int8_t *y, int32_t pixels)
{
    const int32_t next = op->stride_cols * op->matrix.depth;
    for (; pixels >= 2; pixels -= 2, x += 2 * next, y += 2 * op->matrix.channels) {
        te_matrix_2(&op->matrix, x, next, y);
    }
    if (pixels > 0) {
        te_matrix_1(&op->matrix, x, 0, y);
    }
}

TE_INLINE void te_pointwise(const te_pointwise_t *op, te_rows in, te_rows out, int32_t first, int32_t last,
                            void *scratch)
{
    const int flat = te_is_flat(in, op->in_cols * op->matrix.depth) &&
                     te_is_flat(out, op->out_cols * op->matrix.channels) && op->in_cols == op->out_cols &&
                     op->stride_rows == 1 && op->stride_cols == 1;
    (void)scratch;
    if (flat) {
        te_pointwise_pixels(op, te_row(in, first), te_row(out, first), (last - first) * op->out_cols);
        return;
    }
    for (int32_t row = first; row < last; row++) {
        te_pointwise_pixels(op, te_row(in, row * op->stride_rows), te_row(out, row), op->out_cols);
    }
}

#endif
