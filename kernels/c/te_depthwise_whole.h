/* Depthwise convolution of a whole tensor, in place if the output is not larger than the input: a channel
 * is copied before its outputs overwrite it. Scratch: one channel with its border. Depth multiplier 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DEPTHWISE_WHOLE_H
#define TE_DEPTHWISE_WHOLE_H

#include "te_plane.h"

typedef struct {
    int32_t plane_rows; /* from the upper border to what the last output sees */
    te_plane_t plane;
} te_depthwise_whole_t;

TE_INLINE void te_depthwise_whole_fill(const te_depthwise_whole_t *op, te_rows in, int32_t channel, int8_t *plane)
{
    const te_plane_t *p = &op->plane;
    const int32_t rows = te_min(in.rows, op->plane_rows - p->pad_top);
    for (int32_t row = 0; row < rows; row++) {
        te_plane_copy(p, te_line_of(in, row, 0), -p->pad_left, p->plane_cols, channel,
                      plane + (row + p->pad_top) * p->plane_cols, 0);
    }
}

TE_INLINE void te_depthwise_whole(const te_depthwise_whole_t *op, te_rows in, te_rows out, te_strip strip,
                                  void *scratch)
{
    const te_plane_t *p = &op->plane;
    int8_t *plane = (int8_t *)scratch;
    (void)strip;
    te_fill(plane, p->in_zero, op->plane_rows * p->plane_cols);
    for (int32_t channel = 0; channel < p->pixel_bytes; channel++) {
        te_depthwise_whole_fill(op, in, channel, plane);
        for (int32_t row = 0; row < out.rows; row++) {
            const int8_t *x = plane + row * p->stride_rows * p->plane_cols;
            te_plane_row(p, x, p->dilation_rows * p->plane_cols, channel, te_line_of(out, row, 0).start, out.columns);
        }
    }
}

#endif
