/* Depthwise convolution, any strip of rows. Scratch: one channel of the rows that an output row sees
 * (kernel_rows * plane_cols bytes).
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DEPTHWISE_H
#define TE_DEPTHWISE_H

#include "te_plane.h"

typedef te_plane_t te_depthwise_t;

/* The rows of one channel that one output row sees; rows outside the image keep the zero point. */
TE_INLINE void te_depthwise_fill(const te_plane_t *op, te_rows in, int32_t from, int32_t channel, int8_t *plane)
{
    for (int32_t tap = 0; tap < op->kernel_rows; tap++) {
        const int32_t row = from + tap * op->dilation_rows;
        if (row >= 0 && row < in.rows) {
            te_plane_copy(op, te_row(in, row), channel, plane + tap * op->plane_cols);
        }
    }
}

TE_INLINE void te_depthwise(const te_depthwise_t *op, te_rows in, te_rows out, int32_t first, int32_t last,
                            void *scratch)
{
    int8_t *plane = (int8_t *)scratch;
    for (int32_t row = first; row < last; row++) {
        const int32_t from = row * op->stride_rows - op->pad_top;
        te_fill(plane, op->in_zero, op->kernel_rows * op->plane_cols);
        for (int32_t channel = 0; channel < op->in_channels; channel++) {
            te_depthwise_fill(op, in, from, channel, plane);
            for (int32_t i = 0; i < op->multiplier; i++) {
                te_plane_row(op, plane, op->plane_cols, channel * op->multiplier + i, te_row(out, row));
            }
        }
    }
}

#endif
