/* Softmax of bytes over the last axis, in TFLite's 32-bit fixed point. The exponentials of all differences to
 * the largest value are a table. Results have 8 or 16 bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SOFTMAX_H
#define TE_SOFTMAX_H

#include "te_requant.h"
#include "te_rows.h"
#include "te_value.h"

typedef struct {
    const int32_t *exponentials; /* exp(-beta * scale * i), Q0.31 */
    int32_t alive;               /* from this difference on they count as zero */
    int32_t groups;              /* softmaxes per pixel */
    int32_t depth;               /* values in each */
    int32_t result_bytes;
} te_softmax_t;

/* 1 / half for half in [1/2, 1), both Q0.31; three steps of Newton in Q2.29. */
TE_INLINE int32_t te_reciprocal(int32_t half)
{
    int32_t x = 1515870810 + te_high_mul(half, -1010580540); /* 48/17 - 32/17 * half */
    for (int32_t i = 0; i < 3; i++) {
        x += te_high_mul(x, (1 << 29) - te_high_mul(half, x)) * 4;
    }
    return x >= 1 << 30 ? INT32_MAX : x * 2;
}

TE_INLINE void te_softmax_group(const te_softmax_t *op, const int8_t *x, int8_t *y)
{
    int32_t largest = -128;
    uint32_t total = 0; /* Q12.19 (and one bit more) */
    int32_t headroom = 0;
    for (int32_t i = 0; i < op->depth; i++) {
        largest = te_max(largest, x[i]);
    }
    for (int32_t i = 0; i < op->depth; i++) {
        if (largest - x[i] < op->alive) {
            total += (uint32_t)te_round_shift(op->exponentials[largest - x[i]], 12);
        }
    }
    while ((total & 0x80000000u) == 0) {
        total <<= 1;
        headroom++;
    }
    const int32_t reciprocal = te_reciprocal((int32_t)(total >> 1));
    const int32_t shift = 12 - headroom + 31 - 8 * op->result_bytes;
    const int32_t half = op->result_bytes == 1 ? 1 << 7 : 1 << 15;
    for (int32_t i = 0; i < op->depth; i++) {
        int32_t value = 0;
        if (largest - x[i] < op->alive && shift <= 31) {
            value = te_round_shift(te_high_mul(reciprocal, op->exponentials[largest - x[i]]), shift);
        }
        te_put(y, i, op->result_bytes, te_min(value - half, half - 1));
    }
}

TE_INLINE void te_softmax(const te_softmax_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line from = te_line_of(in, row, strip.from), to = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            for (int32_t group = 0; group < op->groups; group++) {
                te_softmax_group(op, te_pixel(from, column) + group * op->depth,
                                 te_pixel(to, column) + group * op->depth * op->result_bytes);
            }
        }
    }
}

#endif
