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

typedef struct {
    int32_t in_cols;
    int32_t in_channels;
    int32_t in_zero;
    int32_t out_cols;
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
TE_INLINE void te_conv2d_taps(const te_conv2d_t *op, const int8_t *row, int32_t column, int8_t *patch)
{
    const int32_t extent = (op->kernel_cols - 1) * op->dilation_cols + 1;
    if (op->dilation_cols == 1 && column >= 0 && column + extent <= op->in_cols) {
        te_copy(patch, row + column * op->in_channels, op->kernel_cols * op->in_channels);
        return;
    }
    for (int32_t tap = 0; tap < op->kernel_cols; tap++, column += op->dilation_cols, patch += op->in_channels) {
        if (column >= 0 && column < op->in_cols) {
            te_copy(patch, row + column * op->in_channels, op->in_channels);
        } else {
            te_fill(patch, op->in_zero, op->in_channels);
        }
    }
}

/* All inputs of `pixels` output pixels from (row, column) on, one after the other. */
TE_INLINE void te_conv2d_gather(const te_conv2d_t *op, te_rows in, int32_t row, int32_t column, int32_t pixels,
                                int8_t *patch)
{
    const int32_t taps = op->kernel_cols * op->in_channels;
    for (int32_t pixel = column; pixel < column + pixels; pixel++) {
        int32_t from = row * op->stride_rows - op->pad_top;
        for (int32_t tap = 0; tap < op->kernel_rows; tap++, from += op->dilation_rows, patch += taps) {
            if (from >= 0 && from < in.rows) {
                te_conv2d_taps(op, te_row(in, from), pixel * op->stride_cols - op->pad_left, patch);
            } else {
                te_fill(patch, op->in_zero, taps);
            }
        }
    }
}

TE_INLINE void te_conv2d(const te_conv2d_t *op, te_rows in, te_rows out, int32_t first, int32_t last, void *scratch)
{
    int8_t *patch = (int8_t *)scratch;
    const int32_t channels = op->matrix.channels;
    for (int32_t row = first; row < last; row++) {
        int8_t *y = te_row(out, row);
        int32_t column = 0;
        for (; column + 2 <= op->out_cols; column += 2, y += 2 * channels) {
            te_conv2d_gather(op, in, row, column, 2, patch);
            te_matrix_2(&op->matrix, patch, op->matrix.depth, y);
        }
        if (op->out_cols % 2 != 0) {
            te_conv2d_gather(op, in, row, column, 1, patch);
            te_matrix_1(&op->matrix, patch, 0, y);
        }
    }
}

#endif
