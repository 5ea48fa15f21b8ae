/* Clamps values between two bounds: an activation that does not rescale.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_LIMIT_H
#define TE_LIMIT_H

#include "te_rows.h"

typedef struct {
    int32_t low;
    int32_t high;
    int32_t row_values;
} te_limit_t;

TE_INLINE void te_limit_run(const te_limit_t *op, const int8_t *x, int8_t *y, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = (int8_t)te_clamp(x[i], op->low, op->high);
    }
}

TE_INLINE void te_limit(const te_limit_t *op, te_rows in, te_rows out, int32_t first, int32_t last, void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, op->row_values) && te_is_flat(out, op->row_values)) {
        te_limit_run(op, te_row(in, first), te_row(out, first), (last - first) * op->row_values);
        return;
    }
    for (int32_t row = first; row < last; row++) {
        te_limit_run(op, te_row(in, row), te_row(out, row), op->row_values);
    }
}

#endif
