/* Convolution of int16 values with any kernel, stride, dilation and padding. The inputs of an output pixel are
 * gathered in scratch (2 * depth bytes), the border as zeros.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CONV2D_16_H
#define TE_CONV2D_16_H

#include "te_dot_16.h"
#include "te_window.h"

typedef struct {
    te_window_t window;
    te_matrix_16_t matrix; /* depth = kernel_rows * kernel_cols * channels of the input */
} te_conv2d_16_t;

TE_INLINE void te_conv2d_16(const te_conv2d_16_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const te_window_t *window = &op->window;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_taps inside = te_window_inside(window, in, te_window_top(window, row));
        const te_line x = te_line_of(in, inside.row, te_max(te_window_left(window, strip.from), 0));
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_window_gather(window, in, x, inside, column, (int8_t *)scratch);
            te_matrix_16(&op->matrix, (const int16_t *)scratch, (int16_t *)(void *)te_pixel(y, column));
        }
    }
}

#endif
