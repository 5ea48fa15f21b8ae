/* 1x1 convolution without padding: the inputs of a pixel are read where they lie.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POINTWISE_H
#define TE_POINTWISE_H

#include "te_dot.h"
#include "te_rows.h"

typedef struct {
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
        te_matrix_1(&op->matrix, x, y);
    }
}

/* The column behind the last of the outputs [from, to) whose inputs lie in one piece. */
TE_INLINE int32_t te_pointwise_piece(const te_pointwise_t *op, te_line x, int32_t from, int32_t to)
{
    const int32_t stride = op->stride_cols;
    return (te_piece(x, from * stride, (to - 1) * stride + 1) + stride - 1) / stride;
}

TE_INLINE void te_pointwise(const te_pointwise_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, strip) && te_is_flat(out, strip) && op->stride_rows == 1 && op->stride_cols == 1) {
        te_pointwise_pixels(op, te_line_of(in, strip.first, 0).start, te_line_of(out, strip.first, 0).start,
                            (strip.last - strip.first) * out.columns);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row * op->stride_rows, strip.from * op->stride_cols);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_pointwise_piece(op, x, from, te_piece(y, from, strip.to));
            te_pointwise_pixels(op, te_pixel(x, from * op->stride_cols), te_pixel(y, from), to - from);
        }
    }
}

#endif
