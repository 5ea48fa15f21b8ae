/* Sum of a tensor and a constant that repeats every `period` values (a number, one value for each
 * channel, a whole tensor).
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_CONSTANT_H
#define TE_ADD_CONSTANT_H

#include "te_rows.h"
#include "te_sum.h"

typedef struct {
    const int8_t *constant; /* operand b */
    int32_t period;
    int32_t row_values;
    te_sum_t sum;
} te_add_constant_t;

TE_INLINE void te_add_constant(const te_add_constant_t *op, te_rows in, te_rows out, int32_t first, int32_t last,
                               void *scratch)
{
    (void)scratch;
    for (int32_t row = first; row < last; row++) {
        const int8_t *a = te_row(in, row);
        int8_t *y = te_row(out, row);
        int32_t b = row * op->row_values % op->period;
        for (int32_t i = 0; i < op->row_values; i++) {
            y[i] = te_sum(&op->sum, a[i], op->constant[b]);
            b = b + 1 == op->period ? 0 : b + 1;
        }
    }
}

#endif
