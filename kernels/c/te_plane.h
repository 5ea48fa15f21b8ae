/* What the two forms of depthwise convolution share. One channel at a time is copied, with its border, into
 * a small plane of bytes; there every tap of every output lies at a constant distance.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PLANE_H
#define TE_PLANE_H

#include "te_requant.h"
#include "te_rows.h"

typedef struct {
    const int8_t *weights; /* [out channels][kernel_rows][kernel_cols] */
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
    int32_t multiplier; /* output channels per input channel */
    int32_t plane_cols; /* from the left border to what the last output sees */
    te_output_t output;
} te_plane_t;

/* One image row of one channel, to its place between the borders. */
TE_INLINE void te_plane_copy(const te_plane_t *op, const int8_t *row, int32_t channel, int8_t *to)
{
    const int32_t cols = te_min(op->in_cols, op->plane_cols - op->pad_left);
    const int8_t *x = row + channel;
    to += op->pad_left;
    TE_UNROLL
    for (int32_t column = 0; column < cols; column++, x += op->in_channels) {
        to[column] = *x;
    }
}

typedef struct {
    uint32_t a, b;
} te_plane_sums;

/* Two outputs whose first taps, x and x + next, lie on the plane. */
TE_INLINE te_plane_sums te_plane_dot(const te_plane_t *op, const int8_t *x, int32_t next, const int8_t *w,
                                     int32_t tap_row, uint32_t sum)
{
    te_plane_sums s = {sum, sum};
    TE_UNROLL
    for (int32_t tap = 0; tap < op->kernel_rows; tap++) {
        TE_UNROLL
        for (int32_t k = 0; k < op->kernel_cols; k++) {
            const int32_t weight = w[tap * op->kernel_cols + k];
            const int32_t at = tap * tap_row + k * op->dilation_cols;
            s.a = te_mac(s.a, x[at], weight);
            s.b = te_mac(s.b, x[at + next], weight);
        }
    }
    return s;
}

/* One output row of one channel; its taps are `tap_row` bytes apart on the plane. */
TE_INLINE void te_plane_row(const te_plane_t *op, const int8_t *x, int32_t tap_row, int32_t channel, int8_t *y)
{
    const int32_t channels = op->in_channels * op->multiplier;
    const int8_t *w = op->weights + channel * op->kernel_rows * op->kernel_cols;
    const uint32_t sum = te_bias(&op->output, channel);
    int32_t column = 0;
    y += channel;
    for (; column + 2 <= op->out_cols; column += 2, x += 2 * op->stride_cols, y += 2 * channels) {
        const te_plane_sums s = te_plane_dot(op, x, op->stride_cols, w, tap_row, sum);
        y[0] = te_finish_channel(&op->output, s.a, channel);
        y[channels] = te_finish_channel(&op->output, s.b, channel);
    }
    if (op->out_cols % 2 != 0) {
        y[0] = te_finish_channel(&op->output, te_plane_dot(op, x, 0, w, tap_row, sum).a, channel);
    }
}

#endif
