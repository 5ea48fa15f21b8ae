/* Transposed convolution of int16 values with any kernel, stride and padding. The inputs that reach an output
 * pixel are gathered in scratch, the border as zeros; what follows is a product with the weights of its phase.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_TRANSPOSE_CONV_16_H
#define TE_TRANSPOSE_CONV_16_H

#include "te_dot_16.h"
#include "te_phase.h"

typedef struct {
    te_window_t window; /* kernel, stride and padding as seen from the output */
    int32_t depth;      /* channels of the input */
    te_matrix_16_t matrix; /* phase after phase */
} te_transpose_conv_16_t;

TE_INLINE void te_transpose_conv_16_row(const te_transpose_conv_16_t *op, te_rows in, te_line y, int32_t row,
                                        te_strip strip, void *scratch)
{
    const te_matrix_16_t *all = &op->matrix;
    te_phase_row r = te_phase_row_of(&op->window, in, row, strip.from);
    te_matrix_16_t m = *all;
    for (int32_t column = strip.from; column < strip.to; column++) {
        m.step = te_phase_gather(&op->window, in, &r, (int8_t *)scratch) * op->depth;
        m.weights = all->weights + te_phase_taps_before(&op->window, &r) * op->depth * all->channels;
        /* Rows outside the image are zeros. */
        const int32_t across = r.window.kernel_cols * op->depth, outside = r.inside.first * across;
        m.weights += outside;
        m.depth = r.inside.last * across - outside;
        te_matrix_16(&m, (const int16_t *)scratch + outside, (int16_t *)(void *)te_pixel(y, column));
        r.column = te_phase_next(r.column, op->window.stride_cols);
    }
}

TE_INLINE void te_transpose_conv_16(const te_transpose_conv_16_t *op, te_rows in, te_rows out, te_strip strip,
                                    void *scratch)
{
    for (int32_t row = strip.first; row < strip.last; row++) {
        te_transpose_conv_16_row(op, in, te_line_of(out, row, strip.from), row, strip, scratch);
    }
}

#endif
