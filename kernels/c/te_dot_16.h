/* Dot products of int16 inputs and int8 weights, two channels at a time, in accumulators of 64 bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DOT_16_H
#define TE_DOT_16_H

#include "te_requant64.h"

/* A matrix of weights [channels][depth] and where its products go. */
typedef struct {
    const int8_t *weights;
    int32_t depth;
    int32_t step; /* from one channel's weights to the next's: depth, or more if some are left out */
    int32_t channels;
    te_output_16_t output;
} te_matrix_16_t;

typedef struct {
    int64_t a, b;
} te_sums_16;

TE_INLINE te_sums_16 te_step_16(te_sums_16 s, int32_t x, int32_t first, int32_t second)
{
    s.a += (int64_t)x * first;
    s.b += (int64_t)x * second;
    return s;
}

/* Sums of two channels; the weights of the second lie `next` bytes after those of the first. */
TE_INLINE te_sums_16 te_dot_16_2(te_sums_16 s, const int16_t *x, const int8_t *w, int32_t next, int32_t depth)
{
    int32_t k = depth;
    for (; k >= 4; k -= 4, x += 4, w += 4) {
        s = te_step_16(s, x[0], w[0], w[next]);
        s = te_step_16(s, x[1], w[1], w[next + 1]);
        s = te_step_16(s, x[2], w[2], w[next + 2]);
        s = te_step_16(s, x[3], w[3], w[next + 3]);
    }
    for (; k > 0; k--, x++, w++) {
        s = te_step_16(s, x[0], w[0], w[next]);
    }
    return s;
}

/* All channels of one pixel, from its `depth` inputs at x. */
TE_INLINE void te_matrix_16(const te_matrix_16_t *m, const int16_t *x, int16_t *y)
{
    const te_output_16_t *out = &m->output;
    const int32_t whole = m->channels - m->channels % 2;
    const int8_t *w = m->weights;
    for (int32_t c = 0; c < whole; c += 2, w += 2 * m->step) {
        te_sums_16 s = {te_bias_16(out, c), te_bias_16(out, c + 1)};
        s = te_dot_16_2(s, x, w, m->step, m->depth);
        y[c] = te_finish_16(out, s.a, c);
        y[c + 1] = te_finish_16(out, s.b, c + 1);
    }
    if (whole < m->channels) {
        te_sums_16 s = {te_bias_16(out, whole), 0};
        s = te_dot_16_2(s, x, w, 0, m->depth);
        y[whole] = te_finish_16(out, s.a, whole);
    }
}

#endif
