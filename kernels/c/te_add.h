/* Sum of two tensors of one shape; the output may lie on either.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_H
#define TE_ADD_H

#include "te_rows.h"
#include "te_sum.h"

typedef struct {
    int32_t row_values;
    te_sum_t sum;
} te_add_t;

TE_INLINE void te_add_run(const te_add_t *op, const int8_t *a, const int8_t *b, int8_t *y, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = te_sum(&op->sum, a[i], b[i]);
    }
}

TE_INLINE void te_add(const te_add_t *op, te_rows in, te_rows in2, te_rows out, int32_t first, int32_t last,
                      void *scratch)
{
    const int32_t values = op->row_values;
    (void)scratch;
    if (te_is_flat(in, values) && te_is_flat(in2, values) && te_is_flat(out, values)) {
        te_add_run(op, te_row(in, first), te_row(in2, first), te_row(out, first), (last - first) * values);
        return;
    }
    for (int32_t row = first; row < last; row++) {
        te_add_run(op, te_row(in, row), te_row(in2, row), te_row(out, row), values);
    }
}

#endif
