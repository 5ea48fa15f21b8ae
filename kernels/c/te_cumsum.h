/* Sums of all values before each along an axis, in 32 bits that wrap; TFLite begins with minus the zero point.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CUMSUM_H
#define TE_CUMSUM_H

#include "te_requant.h"
#include "te_rows.h"

typedef struct {
    int32_t before; /* elements of all axes before it, along it, and of all after it */
    int32_t size;
    int32_t after;
    int32_t exclusive; /* does a sum leave out its own place? */
    int32_t reverse;
    int32_t in_zero;
    int32_t mantissa; /* from 2^-19 of a step of the input to a step of the output; never to the left */
    int32_t shift;
    int32_t out_zero;
} te_cumsum_t;

/* `step` from one value to the next; x and y may be the same. */
TE_INLINE void te_cumsum_line(const te_cumsum_t *op, const int8_t *x, int8_t *y, int32_t step)
{
    uint32_t sum = 0u - ((uint32_t)op->in_zero << 19);
    for (int32_t i = 0; i < op->size; i++) {
        const uint32_t after = sum + ((uint32_t)(x[i * step] - op->in_zero) << 19);
        const int32_t value = te_rescale(op->exclusive ? sum : after, op->mantissa, op->shift) + op->out_zero;
        y[i * step] = (int8_t)te_clamp(value, -128, 127);
        sum = after;
    }
}

TE_INLINE void te_cumsum(const te_cumsum_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int32_t first = op->reverse ? (op->size - 1) * op->after : 0;
    (void)strip, (void)scratch;
    for (int32_t i = 0; i < op->before; i++) {
        for (int32_t j = 0; j < op->after; j++) {
            const int32_t place = i * op->size * op->after + j + first;
            const int8_t *x = (const int8_t *)in.base + place;
            te_cumsum_line(op, x, (int8_t *)out.base + place, op->reverse ? -op->after : op->after);
        }
    }
}

#endif
