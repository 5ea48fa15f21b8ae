/* Sum of two tensors of one shape as (weight_a * a + weight_b * b + offset) >> shift: the compiler of the
 * model proved the result for every pair of bytes. The output may lie on either input.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_LINEAR_H
#define TE_ADD_LINEAR_H

#include "te_rows.h"

typedef struct {
    int32_t row_values;
    int32_t weight_a;
    int32_t weight_b;
    int32_t offset;
    int32_t shift;
    int32_t low; /* fused activation */
    int32_t high;
} te_add_linear_t;

TE_INLINE void te_add_linear_run(const te_add_linear_t *op, const int8_t *a, const int8_t *b, int8_t *y, int32_t count)
{
    TE_UNROLL
    for (int32_t i = 0; i < count; i++) {
        const int32_t sum = op->weight_a * a[i] + op->weight_b * b[i] + op->offset;
        y[i] = (int8_t)te_clamp(sum >> op->shift, op->low, op->high);
    }
}

TE_INLINE void te_add_linear(const te_add_linear_t *op, te_rows in, te_rows in2, te_rows out, int32_t first,
                             int32_t last, void *scratch)
{
    const int32_t values = op->row_values;
    (void)scratch;
    if (te_is_flat(in, values) && te_is_flat(in2, values) && te_is_flat(out, values)) {
        te_add_linear_run(op, te_row(in, first), te_row(in2, first), te_row(out, first), (last - first) * values);
        return;
    }
    for (int32_t row = first; row < last; row++) {
        te_add_linear_run(op, te_row(in, row), te_row(in2, row), te_row(out, row), values);
    }
}

#endif
