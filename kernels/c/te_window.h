/* The window of a convolution: what an output pixel sees, gathered side by side.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WINDOW_H
#define TE_WINDOW_H

#include "te_rows.h"
#include "te_taps.h"

typedef struct {
    int32_t in_cols;
    int32_t pixel_bytes; /* of the input */
    int32_t in_zero;     /* every byte of the border */
    int32_t kernel_rows;
    int32_t kernel_cols;
    int32_t stride_rows;
    int32_t stride_cols;
    int32_t dilation_rows;
    int32_t dilation_cols;
    int32_t pad_top;
    int32_t pad_left;
} te_window_t;

/* Input row of the first tap of an output row, and input column of that of an output column. */
TE_INLINE int32_t te_window_top(const te_window_t *op, int32_t row) { return row * op->stride_rows - op->pad_top; }

TE_INLINE int32_t te_window_left(const te_window_t *op, int32_t column)
{
    return column * op->stride_cols - op->pad_left;
}

/* Which taps see the image from an output row whose first lies in row `top`. */
TE_INLINE te_taps te_window_inside(const te_window_t *op, te_rows in, int32_t top)
{
    return te_taps_inside(top, op->kernel_rows, op->dilation_rows, in.rows);
}

/* One kernel row of one output pixel; `column` is the input column of its first tap. */
TE_INLINE void te_window_taps(const te_window_t *op, te_line x, int32_t column, int8_t *patch)
{
    const int32_t stop = column + (op->kernel_cols - 1) * op->dilation_cols + 1;
    if (op->dilation_cols == 1 && column >= 0 && stop <= op->in_cols && te_piece(x, column, stop) == stop) {
        te_copy(patch, te_pixel(x, column), op->kernel_cols * op->pixel_bytes);
        return;
    }
    for (; column < stop; column += op->dilation_cols, patch += op->pixel_bytes) {
        if (column >= 0 && column < op->in_cols) {
            te_copy(patch, te_pixel(x, column), op->pixel_bytes);
        } else {
            te_fill(patch, op->in_zero, op->pixel_bytes);
        }
    }
}

/* All inputs of one output pixel; `x` is the line of the first kernel row inside the image. */
TE_INLINE void te_window_gather(const te_window_t *op, te_rows in, te_line x, te_taps inside, int32_t column,
                                int8_t *patch)
{
    const int32_t bytes = op->kernel_cols * op->pixel_bytes;
    te_fill(patch, op->in_zero, inside.first * bytes);
    for (int32_t tap = inside.first; tap < inside.last; tap++, x = te_line_after(in, x, op->dilation_rows)) {
        te_window_taps(op, x, column * op->stride_cols - op->pad_left, patch + tap * bytes);
    }
    te_fill(patch + inside.last * bytes, op->in_zero, (op->kernel_rows - inside.last) * bytes);
}

#endif
