/* The logistic function or the hyperbolic tangent of int16 values. The output may lie on the input.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CURVE16_H
#define TE_CURVE16_H

#include "te_rows.h"
#include "te_sigmoid16.h"

typedef struct {
    const uint16_t *table; /* of te_sigmoid16.h */
    int32_t factor;        /* from the input to its unit */
    int32_t shift;         /* to the right */
    int32_t tanh;          /* instead of the logistic function */
} te_curve16_t;

TE_INLINE int32_t te_curve16_value(const te_curve16_t *op, int32_t x)
{
    const int32_t value = (x * op->factor + (int32_t)((uint32_t)1 << op->shift >> 1)) >> op->shift;
    return op->tanh ? te_tanh16(op->table, value) : te_logistic16(op->table, value);
}

TE_INLINE void te_curve16(const te_curve16_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line from = te_line_of(in, row, strip.from), to = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const int16_t *x = (const int16_t *)(const void *)te_pixel(from, column);
            int16_t *y = (int16_t *)(void *)te_pixel(to, column);
            for (int32_t i = 0; i < out.pixel_bytes / 2; i++) {
                y[i] = (int16_t)te_curve16_value(op, x[i]);
            }
        }
    }
}

#endif
