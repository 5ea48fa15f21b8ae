/* Dot products, a block at a time: every value loaded takes part in two products.
 *
 * Pixels (and channels) are given by the first and the distance to the next, which are constants after
 * inlining and become offsets of the load instructions.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DOT_H
#define TE_DOT_H

#include "te_requant.h"

/* A matrix of weights [channels][depth] and where its products go. The bias contains what the
 * input's zero point contributes. */
typedef struct {
    const int8_t *weights;
    int32_t weight_zero; /* zero point of the weights, where it can't be folded into them */
    int32_t depth;
    int32_t channels;
    te_output_t output;
} te_matrix_t;

typedef struct {
    uint32_t a, b, c, d;
} te_sums;

/* Sums: pixel 0 with channels 0, 1; pixel 1 with channels 0, 1. */
TE_INLINE te_sums te_step_2x2(te_sums s, const int8_t *x, int32_t next_x, const int8_t *w, int32_t next_w)
{
    const int32_t x0 = x[0], x1 = x[next_x], w0 = w[0], w1 = w[next_w];
    s.a = te_mac(s.a, x0, w0);
    s.b = te_mac(s.b, x0, w1);
    s.c = te_mac(s.c, x1, w0);
    s.d = te_mac(s.d, x1, w1);
    return s;
}

TE_INLINE te_sums te_dot_2x2(te_sums s, const int8_t *x, int32_t next_x, const int8_t *w, int32_t next_w, int32_t depth)
{
    int32_t k = depth;
    for (; k >= 4; k -= 4, x += 4, w += 4) {
        s = te_step_2x2(s, x, next_x, w, next_w);
        s = te_step_2x2(s, x + 1, next_x, w + 1, next_w);
        s = te_step_2x2(s, x + 2, next_x, w + 2, next_w);
        s = te_step_2x2(s, x + 3, next_x, w + 3, next_w);
    }
    for (; k > 0; k--, x++, w++) {
        s = te_step_2x2(s, x, next_x, w, next_w);
    }
    return s;
}

/* Sums: one pixel with channels 0, 1, 2, 3. */
TE_INLINE te_sums te_step_1x4(te_sums s, const int8_t *x, const int8_t *w, int32_t next_w)
{
    const int32_t x0 = x[0];
    s.a = te_mac(s.a, x0, w[0]);
    s.b = te_mac(s.b, x0, w[next_w]);
    s.c = te_mac(s.c, x0, w[2 * next_w]);
    s.d = te_mac(s.d, x0, w[3 * next_w]);
    return s;
}

TE_INLINE te_sums te_dot_1x4(te_sums s, const int8_t *x, const int8_t *w, int32_t next_w, int32_t depth)
{
    int32_t k = depth;
    for (; k >= 4; k -= 4, x += 4, w += 4) {
        s = te_step_1x4(s, x, w, next_w);
        s = te_step_1x4(s, x + 1, w + 1, next_w);
        s = te_step_1x4(s, x + 2, w + 2, next_w);
        s = te_step_1x4(s, x + 3, w + 3, next_w);
    }
    for (; k > 0; k--, x++, w++) {
        s = te_step_1x4(s, x, w, next_w);
    }
    return s;
}

TE_INLINE uint32_t te_dot_1x1(uint32_t sum, const int8_t *x, const int8_t *w, int32_t depth)
{
    for (int32_t k = 0; k < depth; k++) {
        sum = te_mac(sum, x[k], w[k]);
    }
    return sum;
}

/* What the weights' zero point takes from every sum over a pixel's inputs at x. */
TE_INLINE uint32_t te_matrix_extra(const te_matrix_t *m, const int8_t *x)
{
    uint32_t extra = 0;
    if (m->weight_zero != 0) {
        for (int32_t k = 0; k < m->depth; k++) {
            extra = te_mac(extra, x[k], -m->weight_zero);
        }
    }
    return extra;
}

/* All channels of one pixel, from its `depth` inputs at x. */
TE_INLINE void te_matrix_1(const te_matrix_t *m, const int8_t *x, int8_t *y)
{
    const uint32_t extra = te_matrix_extra(m, x);
    const int32_t whole = m->channels - m->channels % 4;
    const int8_t *w = m->weights;
    for (int32_t c = 0; c < whole; c += 4, w += 4 * m->depth) {
        te_sums s = {te_bias(&m->output, c) + extra, te_bias(&m->output, c + 1) + extra,
                     te_bias(&m->output, c + 2) + extra, te_bias(&m->output, c + 3) + extra};
        s = te_dot_1x4(s, x, w, m->depth, m->depth);
        y[c] = te_finish_channel(&m->output, s.a, c);
        y[c + 1] = te_finish_channel(&m->output, s.b, c + 1);
        y[c + 2] = te_finish_channel(&m->output, s.c, c + 2);
        y[c + 3] = te_finish_channel(&m->output, s.d, c + 3);
    }
    for (int32_t c = whole; c < m->channels; c++, w += m->depth) {
        y[c] = te_finish_channel(&m->output, te_dot_1x1(te_bias(&m->output, c) + extra, x, w, m->depth), c);
    }
}

/* One channel of two pixels. */
TE_INLINE void te_matrix_finish_2(const te_output_t *out, int32_t channel, uint32_t a, uint32_t b, int8_t *y, int8_t *z)
{
    const te_channel c = te_channel_of(out, channel);
    y[channel] = (int8_t)te_finish(out, a, c.mantissa, c.shift);
    z[channel] = (int8_t)te_finish(out, b, c.mantissa, c.shift);
}

/* All channels of two pixels; the inputs of the second lie `next` bytes after those of the first. */
TE_INLINE void te_matrix_2(const te_matrix_t *m, const int8_t *x, int32_t next, int8_t *y)
{
    const int32_t whole = m->channels - m->channels % 2;
    const uint32_t extra = te_matrix_extra(m, x), next_extra = te_matrix_extra(m, x + next);
    const int8_t *w = m->weights;
    int8_t *z = y + m->channels;
    for (int32_t c = 0; c < whole; c += 2, w += 2 * m->depth) {
        const uint32_t bias = te_bias(&m->output, c);
        const uint32_t next_bias = te_bias(&m->output, c + 1);
        te_sums s = {bias + extra, next_bias + extra, bias + next_extra, next_bias + next_extra};
        s = te_dot_2x2(s, x, next, w, m->depth, m->depth);
        te_matrix_finish_2(&m->output, c, s.a, s.c, y, z);
        te_matrix_finish_2(&m->output, c + 1, s.b, s.d, y, z);
    }
    if (whole < m->channels) {
        const uint32_t bias = te_bias(&m->output, whole);
        const uint32_t a = te_dot_1x1(bias + extra, x, w, m->depth);
        const uint32_t b = te_dot_1x1(bias + next_extra, x + next, w, m->depth);
        te_matrix_finish_2(&m->output, whole, a, b, y, z);
    }
}

#endif
