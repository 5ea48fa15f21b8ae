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
#include "te_window.h"

typedef struct {
    te_window_t window;
    te_matrix_t matrix; /* depth = kernel_rows * kernel_cols * in_channels */
} te_conv2d_t;

/* Columns [from, to) of one row, two at a time where they lie side by side. */
TE_INLINE void te_conv2d_row(const te_conv2d_t *op, te_rows in, te_line y, int32_t row, te_strip strip, int8_t *patch)
{
    const te_window_t *window = &op->window;
    const te_taps inside = te_window_inside(window, in, te_window_top(window, row));
    const te_line x = te_line_of(in, inside.row, te_max(te_window_left(window, strip.from), 0));
    for (int32_t from = strip.from, to; from < strip.to; from = to) {
        to = te_piece(y, from, te_min(from + 2, strip.to));
        for (int32_t column = from; column < to; column++) {
            te_window_gather(window, in, x, inside, column, patch + (column - from) * op->matrix.depth);
        }
        if (to == from + 2) {
            te_matrix_2(&op->matrix, patch, op->matrix.depth, te_pixel(y, from));
        } else {
            te_matrix_1(&op->matrix, patch, te_pixel(y, from));
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
