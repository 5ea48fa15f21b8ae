/* What becomes of many values: their sum, scaled to the output, the largest or the smallest.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REDUCE_H
#define TE_REDUCE_H

#include "te_requant.h"
#include "te_value.h"

typedef enum { TE_SUM, TE_MAX, TE_MIN } te_reducer;

typedef struct {
    te_reducer reducer;
    int32_t bytes;      /* of an element: 1 or 2 */
    te_output_t output; /* of sums: one channel, whose bias takes the zero points away */
} te_reduce_t;

TE_INLINE uint32_t te_reduce_first(const te_reduce_t *op)
{
    if (op->reducer == TE_SUM) {
        return te_bias(&op->output, 0);
    }
    return (uint32_t)(op->reducer == TE_MAX ? INT32_MIN : INT32_MAX);
}

/* Sums wrap. */
TE_INLINE uint32_t te_reduce_next(const te_reduce_t *op, uint32_t acc, int32_t value)
{
    if (op->reducer == TE_SUM) {
        return acc + (uint32_t)value;
    }
    return (uint32_t)(op->reducer == TE_MAX ? te_max((int32_t)acc, value) : te_min((int32_t)acc, value));
}

/* `count` elements, `step` of them from one to the next. */
TE_INLINE uint32_t te_reduce_run(const te_reduce_t *op, uint32_t acc, const int8_t *x, int32_t count, int32_t step)
{
    for (int32_t i = 0; i < count; i++) {
        acc = te_reduce_next(op, acc, te_value(x, i * step, op->bytes));
    }
    return acc;
}

TE_INLINE void te_reduce_end(const te_reduce_t *op, uint32_t acc, int8_t *y, int32_t index)
{
    int32_t value = (int32_t)acc;
    if (op->reducer == TE_SUM) {
        value = te_finish(&op->output, acc, op->output.channels[1], op->output.channels[2]);
    }
    te_put(y, index, op->bytes, value);
}

#endif
