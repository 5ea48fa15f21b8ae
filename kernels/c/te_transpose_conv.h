/* Transposed convolution with any kernel, stride and padding. The inputs that reach an output pixel are gathered
 * in scratch, the border as zero points; what follows is a product with the weights of the pixel's phase.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_TRANSPOSE_CONV_H
#define TE_TRANSPOSE_CONV_H

#include "te_dot.h"
#include "te_phase.h"

typedef struct {
    te_window_t window; /* kernel, stride and padding as seen from the output */
    int32_t depth;      /* channels of the input */
    te_matrix_t matrix; /* phase after phase, as are its channels */
} te_transpose_conv_t;

TE_INLINE void te_transpose_conv_row(const te_transpose_conv_t *op, te_rows in, te_line y, int32_t row, te_strip strip,
                                     void *scratch)
{
    const te_matrix_t *all = &op->matrix;
    te_phase_row r = te_phase_row_of(&op->window, in, row, strip.from);
    te_matrix_t m = *all;
    for (int32_t column = strip.from; column < strip.to; column++) {
        m.depth = te_phase_gather(&op->window, in, &r, (int8_t *)scratch) * op->depth;
        m.weights = all->weights + te_phase_taps_before(&op->window, &r) * op->depth * all->channels;
        m.output.channels =
            all->output.channels + 3 * all->channels * (r.row.phase * op->window.stride_cols + r.column.phase);
        te_matrix_1(&m, (const int8_t *)scratch, te_pixel(y, column));
        r.column = te_phase_next(r.column, op->window.stride_cols);
    }
}

TE_INLINE void te_transpose_conv(const te_transpose_conv_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    for (int32_t row = strip.first; row < strip.last; row++) {
        te_transpose_conv_row(op, in, te_line_of(out, row, strip.from), row, strip, scratch);
    }
}

#endif
