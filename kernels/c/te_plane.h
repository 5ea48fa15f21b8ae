/* What the two forms of depthwise convolution share. Channels are copied, with their border, into small planes
 * of bytes; there every tap of every output lies at a constant distance.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PLANE_H
#define TE_PLANE_H

#include "te_halves.h"
#include "te_requant.h"
#include "te_rows.h"

typedef struct {
    const int8_t *weights; /* [out channels][kernel_rows][kernel_cols] */
    int32_t weight_zero;   /* zero point of the weights, where it can't be folded into them */
    int32_t in_cols;
    int32_t pixel_bytes; /* channels of the input */
    int32_t in_zero;
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

/* `count` bytes that lie `step` bytes apart. */
TE_INLINE void te_plane_pick(int8_t *to, const int8_t *from, int32_t step, int32_t count)
{
    TE_UNROLL
    for (; count >= 4; count -= 4, from += 4 * step, to += 4) {
        to[0] = from[0];
        to[1] = from[step];
        to[2] = from[2 * step];
        to[3] = from[3 * step];
    }
    for (; count > 0; count--, from += step) {
        *to++ = *from;
    }
}

/* `count` words that lie `step` bytes apart: their four bytes to four places `apart` bytes from each other. */
TE_INLINE void te_plane_deal(int8_t *to, int32_t apart, const int8_t *from, int32_t step, int32_t count)
{
    for (; count >= 4; count -= 4, from += 4 * step, to += 4) {
        const uint32_t a = te_load32(from), b = te_load32(from + step);
        const uint32_t c = te_load32(from + 2 * step), d = te_load32(from + 3 * step);
        const uint32_t even_ab = te_even_bytes(a) | te_even_bytes(b) << 8;
        const uint32_t even_cd = te_even_bytes(c) | te_even_bytes(d) << 8;
        const uint32_t odd_ab = te_odd_bytes(a) | te_odd_bytes(b) << 8;
        const uint32_t odd_cd = te_odd_bytes(c) | te_odd_bytes(d) << 8;
        te_store32(to, te_low_halves(even_ab, even_cd));
        te_store32(to + apart, te_low_halves(odd_ab, odd_cd));
        te_store32(to + 2 * apart, te_high_halves(even_ab, even_cd));
        te_store32(to + 3 * apart, te_high_halves(odd_ab, odd_cd));
    }
    for (; count > 0; count--, from += step, to++) {
        to[0] = from[0];
        to[apart] = from[1];
        to[2 * apart] = from[2];
        to[3 * apart] = from[3];
    }
}

/* The image's columns from `left` on, as many as there are of the next `columns`: of one channel or, if there
 * are planes `apart` bytes from each other, of four. */
TE_INLINE void te_plane_copy(const te_plane_t *op, te_line row, int32_t left, int32_t columns, int32_t channel,
                             int8_t *to, int32_t apart)
{
    const int32_t end = te_min(left + columns, op->in_cols);
    for (int32_t from = te_max(left, 0), stop; from < end; from = stop) {
        const int8_t *x = te_pixel(row, from) + channel;
        stop = te_piece(row, from, end);
        if (apart != 0) {
            te_plane_deal(to + from - left, apart, x, op->pixel_bytes, stop - from);
        } else {
            te_plane_pick(to + from - left, x, op->pixel_bytes, stop - from);
        }
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
            const int32_t weight = w[tap * op->kernel_cols + k] - op->weight_zero;
            const int32_t at = tap * tap_row + k * op->dilation_cols;
            s.a = te_mac(s.a, x[at], weight);
            s.b = te_mac(s.b, x[at + next], weight);
        }
    }
    return s;
}

/* Some outputs of one channel, side by side; the taps are `tap_row` bytes apart on the plane. */
TE_INLINE void te_plane_row(const te_plane_t *op, const int8_t *x, int32_t tap_row, int32_t channel, int8_t *y,
                            int32_t count)
{
    const int32_t channels = op->pixel_bytes * op->multiplier;
    const int8_t *w = op->weights + channel * op->kernel_rows * op->kernel_cols;
    const te_channel c = te_channel_of(&op->output, channel);
    y += channel;
    for (; count >= 2; count -= 2, x += 2 * op->stride_cols, y += 2 * channels) {
        const te_plane_sums s = te_plane_dot(op, x, op->stride_cols, w, tap_row, c.bias);
        y[0] = (int8_t)te_finish(&op->output, s.a, c.mantissa, c.shift);
        y[channels] = (int8_t)te_finish(&op->output, s.b, c.mantissa, c.shift);
    }
    if (count > 0) {
        const te_plane_sums s = te_plane_dot(op, x, 0, w, tap_row, c.bias);
        y[0] = (int8_t)te_finish(&op->output, s.a, c.mantissa, c.shift);
    }
}

#endif
