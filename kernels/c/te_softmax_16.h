/* Softmax of int16 over the last axis, from TFLite's tables of exponentials and reciprocals.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SOFTMAX_16_H
#define TE_SOFTMAX_16_H

#include "te_points.h"
#include "te_requant.h"
#include "te_rows.h"

typedef struct {
    const int16_t *exponentials; /* exp of -10 ... 0, Q0.15 */
    const int16_t *reciprocals;  /* 1 / (1 + x) of 0 ... 1, Q0.15 */
    int32_t mantissa;            /* from a difference of inputs to a 65535th of the first table's range */
    int32_t shift;
    int32_t groups; /* softmaxes per pixel */
    int32_t depth;  /* values in each */
} te_softmax_16_t;

/* exp(difference), for differences of 0 and less. */
TE_INLINE int32_t te_softmax_16_exponential(const te_softmax_16_t *op, int32_t difference)
{
    const int32_t steps = te_rescale((uint32_t)difference, op->mantissa, op->shift) + INT16_MAX;
    return te_point(op->exponentials, te_clamp(steps, INT16_MIN, INT16_MAX));
}

/* The exponentials are put where the results go. */
TE_INLINE void te_softmax_16_group(const te_softmax_16_t *op, const int16_t *x, int16_t *y)
{
    int32_t largest = INT16_MIN, headroom = 0;
    uint32_t total = 0; /* Q16.15 */
    for (int32_t i = 0; i < op->depth; i++) {
        largest = te_max(largest, x[i]);
    }
    for (int32_t i = 0; i < op->depth; i++) {
        const int32_t value = te_softmax_16_exponential(op, x[i] - largest);
        y[i] = (int16_t)value;
        total += (uint32_t)value;
    }
    while ((total << headroom & 0x80000000u) == 0) {
        headroom++;
    }
    const int32_t above_one = (int32_t)(((total << (headroom - 1)) + (1u << 13)) >> 14) - 3 * (1 << 15);
    const int32_t reciprocal = te_point(op->reciprocals, te_min(above_one, INT16_MAX));
    for (int32_t i = 0; i < op->depth; i++) {
        const int32_t value = (y[i] * reciprocal + (1 << (30 - headroom))) >> (31 - headroom);
        y[i] = (int16_t)te_clamp(value, 0, INT16_MAX);
    }
}

TE_INLINE void te_softmax_16(const te_softmax_16_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line from = te_line_of(in, row, strip.from), to = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const int16_t *x = (const int16_t *)(const void *)te_pixel(from, column);
            int16_t *y = (int16_t *)(void *)te_pixel(to, column);
            for (int32_t group = 0; group < op->groups; group++) {
                te_softmax_16_group(op, x + group * op->depth, y + group * op->depth);
            }
        }
    }
}

#endif
