/* Convolution with any kernel, stride, dilation and padding.
 *
 * The inputs of two output pixels are gathered in scratch (2 * depth bytes), the border as zero
 * points; what follows is a product with the matrix of weights.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CONV2D_H
#define TE_CONV2D_H

#include "te_dot.h"
#include "te_rows.h"
#include "te_taps.h"

typedef struct {
    int32_t in_cols;
    int32_t in_channels;
    int32_t in_zero;
    int32_t kernel_rows;
    int32_t kernel_cols;
    int32_t stride_rows;
    int32_t stride_cols;
    int32_t dilation_rows;
    int32_t dilation_cols;
    int32_t pad_top;
    int32_t pad_left;
    te_matrix_t matrix; /* depth = kernel_rows * kernel_cols * in_channels */
} te_conv2d_t;

/* One kernel row of one output pixel; `column` is the input column of its first tap. */
TE_INLINE void te_conv2d_taps(const te_conv2d_t *op, te_line x, int32_t column, int8_t *patch)
{
    const int32_t stop = column + (op->kernel_cols - 1) * op->dilation_cols + 1;
    if (op->dilation_cols == 1 && column >= 0 && stop <= op->in_cols && te_piece(x, column, stop) == stop) {
        te_copy(patch, te_pixel(x, column), op->kernel_cols * op->in_channels);
        return;
    }
    for (; column < stop; column += op->dilation_cols, patch += op->in_channels) {
        if (column >= 0 && column < op->in_cols) {
            te_copy(patch, te_pixel(x, column), op->in_channels);
        } else {
            te_fill(patch, op->in_zero, op->in_channels);
        }
    }
}

/* All inputs of one output pixel; `x` is the line of the first kernel row inside the image. */
TE_INLINE void te_conv2d_gather(const te_conv2d_t *op, te_rows in, te_line x, te_taps inside, int32_t column,
                                int8_t *patch)
{
    const int32_t bytes = op->kernel_cols * op->in_channels;
    te_fill(patch, op->in_zero, inside.first * bytes);
    for (int32_t tap = inside.first; tap < inside.last; tap++, x = te_line_after(in, x, op->dilation_rows)) {
        te_conv2d_taps(op, x, column * op->stride_cols - op->pad_left, patch + tap * bytes);
    }
    te_fill(patch + inside.last * bytes, op->in_zero, (op->kernel_rows - inside.last) * bytes);
}

/* Columns [from, to) of one row, two at a time where they lie side by side. */
TE_INLINE void te_conv2d_row(const te_conv2d_t *op, te_rows in, te_line y, int32_t row, te_strip strip, int8_t *patch)
{
    const int32_t top = row * op->stride_rows - op->pad_top;
    const te_taps inside = te_taps_inside(top, op->kernel_rows, op->dilation_rows, in.rows);
    const te_line x = te_line_of(in, inside.row, te_max(strip.from * op->stride_cols - op->pad_left, 0));
    for (int32_t from = strip.from, to; from < strip.to; from = to) {
        to = te_piece(y, from, te_min(from + 2, strip.to));
        for (int32_t column = from; column < to; column++) {
            te_conv2d_gather(op, in, x, inside, column, patch + (column - from) * op->matrix.depth);
        }
        if (to == from + 2) {
            te_matrix_2(&op->matrix, patch, op->matrix.depth, te_pixel(y, from));
        } else {
            te_matrix_1(&op->matrix, patch, 0, te_pixel(y, from));
        }
    }
}

TE_INLINE void te_conv2d(const te_conv2d_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    for (int32_t row = strip.first; row < strip.last; row++) {
        te_conv2d_row(op, in, te_line_of(out, row, strip.from), row, strip, (int8_t *)scratch);
    }
}

#endif
