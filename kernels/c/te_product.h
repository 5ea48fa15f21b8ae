/* What all forms of MUL share: differences from the zero points, multiplied and scaled.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PRODUCT_H
#define TE_PRODUCT_H

#include "te_requant.h"

typedef struct {
    int32_t zero_a;
    int32_t zero_b;
    int32_t mantissa; /* from the product to the output */
    int32_t shift;
    te_output_t output; /* without channels */
} te_product_t;

/* A step of 0 repeats one value. The output may lie on an operand whose step is 1. */
TE_INLINE void te_product_run(const te_product_t *op, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                              int8_t *y, int32_t count)
{
    const int32_t one_a = a[0], one_b = b[0];
    for (int32_t i = 0; i < count; i++) {
        const int32_t value_a = step_a == 0 ? one_a : a[i * step_a], value_b = step_b == 0 ? one_b : b[i * step_b];
        const int32_t product = (value_a - op->zero_a) * (value_b - op->zero_b);
        y[i] = (int8_t)te_finish(&op->output, (uint32_t)product, op->mantissa, op->shift);
    }
}

#endif
