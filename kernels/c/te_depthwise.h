/* Depthwise convolution, any strip of rows. Scratch: one channel or four of the rows that an output row sees
 * (each kernel_rows * plane_cols bytes).
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DEPTHWISE_H
#define TE_DEPTHWISE_H

#include "te_plane.h"
#include "te_taps.h"

typedef struct {
    int32_t together; /* channels that are copied at a time: 1, or 4 if they are a multiple of 4 */
    te_plane_t plane;
} te_depthwise_t;

/* What one call needs to know of the row that it computes. */
typedef struct {
    te_taps inside;
    te_line x; /* of the first tap inside the image */
    te_line y;
    int32_t left; /* input column of the first tap */
    int32_t from; /* columns of the output */
    int32_t to;
} te_depthwise_row_t;

/* How many input columns the outputs see. */
TE_INLINE int32_t te_depthwise_columns(const te_plane_t *op, const te_depthwise_row_t *r)
{
    return (r->to - r->from - 1) * op->stride_cols + (op->kernel_cols - 1) * op->dilation_cols + 1;
}

/* What lies outside the image keeps the zero point while channel after channel is copied. */
TE_INLINE void te_depthwise_border(const te_depthwise_t *op, const te_depthwise_row_t *r, int8_t *planes)
{
    const te_plane_t *p = &op->plane;
    if (r->left < 0 || r->left + te_depthwise_columns(p, r) > p->in_cols || r->inside.first > 0 ||
        r->inside.last < p->kernel_rows) {
        te_fill(planes, p->in_zero, op->together * p->kernel_rows * p->plane_cols);
    }
}

/* All that this row sees of some channels. */
TE_INLINE void te_depthwise_fill(const te_plane_t *op, te_rows in, const te_depthwise_row_t *r, int32_t channel,
                                 int8_t *planes, int32_t apart)
{
    const int32_t columns = te_depthwise_columns(op, r);
    te_line x = r->x;
    for (int32_t tap = r->inside.first; tap < r->inside.last; tap++, x = te_line_after(in, x, op->dilation_rows)) {
        te_plane_copy(op, x, r->left, columns, channel, planes + tap * op->plane_cols, apart);
    }
}

TE_INLINE void te_depthwise_channel(const te_plane_t *op, const te_depthwise_row_t *r, int32_t channel,
                                    const int8_t *plane)
{
    for (int32_t from = r->from, to; from < r->to; from = to) {
        const int8_t *x = plane + (from - r->from) * op->stride_cols;
        to = te_piece(r->y, from, r->to);
        te_plane_row(op, x, op->plane_cols, channel, te_pixel(r->y, from), to - from);
    }
}

/* Channels are read before they are written: the output may overwrite inputs that no later call reads. */
TE_INLINE void te_depthwise_row(const te_depthwise_t *op, te_rows in, const te_depthwise_row_t *r, int8_t *planes)
{
    const te_plane_t *p = &op->plane;
    const int32_t size = p->kernel_rows * p->plane_cols;
    te_depthwise_border(op, r, planes);
    for (int32_t channel = 0; channel < p->pixel_bytes; channel += op->together) {
        te_depthwise_fill(p, in, r, channel, planes, op->together == 1 ? 0 : size);
        for (int32_t i = 0; i < op->together; i++) {
            for (int32_t k = 0; k < p->multiplier; k++) {
                te_depthwise_channel(p, r, (channel + i) * p->multiplier + k, planes + i * size);
            }
        }
    }
}

TE_INLINE void te_depthwise(const te_depthwise_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const te_plane_t *p = &op->plane;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const int32_t top = row * p->stride_rows - p->pad_top;
        const te_taps inside = te_taps_inside(top, p->kernel_rows, p->dilation_rows, in.rows);
        const int32_t left = strip.from * p->stride_cols - p->pad_left;
        const te_depthwise_row_t r = {
            inside, te_line_of(in, inside.row, te_max(left, 0)), te_line_of(out, row, strip.from), left,
            strip.from, strip.to,
        };
        te_depthwise_row(op, in, &r, (int8_t *)scratch);
    }
}

#endif
