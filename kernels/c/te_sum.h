/* What all forms of ADD share: both operands are brought to a common scale with 20 spare bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SUM_H
#define TE_SUM_H

#include "te_requant.h"

typedef struct {
    int32_t zero;
    int32_t mantissa;
    int32_t shift;
} te_operand_t;

typedef struct {
    te_operand_t a;
    te_operand_t b;
    int32_t mantissa; /* from the sum to the output */
    int32_t shift;
    te_output_t output; /* without channels */
} te_sum_t;

TE_INLINE uint32_t te_sum_scale(const te_sum_t *op, const te_operand_t *operand, int32_t value)
{
    const uint32_t wide = (uint32_t)(value - operand->zero) << 20;
    if (op->output.rounding == TE_SINGLE || op->output.rounding == TE_SINGLE_RIGHT) {
        return (uint32_t)te_rescale_single(wide, operand->mantissa, operand->shift);
    }
    return (uint32_t)te_rescale(wide, operand->mantissa, operand->shift);
}

TE_INLINE int8_t te_sum(const te_sum_t *op, int32_t a, int32_t b)
{
    const uint32_t sum = te_sum_scale(op, &op->a, a) + te_sum_scale(op, &op->b, b);
    return (int8_t)te_finish(&op->output, sum, op->mantissa, op->shift);
}

/* A step of 0 repeats one value. The output may lie on an operand whose step is 1. */
TE_INLINE void te_sum_run(const te_sum_t *op, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                          int8_t *y, int32_t count)
{
    const int32_t one_a = a[0], one_b = b[0];
    for (int32_t i = 0; i < count; i++) {
        y[i] = te_sum(op, step_a == 0 ? one_a : a[i * step_a], step_b == 0 ? one_b : b[i * step_b]);
    }
}

#endif
