/* Any function of one 8-bit value, as a table.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_LUT_H
#define TE_LUT_H

#include "te_rows.h"

typedef struct {
    const uint8_t *table; /* by bit pattern */
    int32_t row_values;
} te_lut_t;

TE_INLINE void te_lut_run(const te_lut_t *op, const int8_t *x, int8_t *y, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        y[i] = (int8_t)op->table[(uint8_t)x[i]];
    }
}

TE_INLINE void te_lut(const te_lut_t *op, te_rows in, te_rows out, int32_t first, int32_t last, void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, op->row_values) && te_is_flat(out, op->row_values)) {
        te_lut_run(op, te_row(in, first), te_row(out, first), (last - first) * op->row_values);
        return;
    }
    for (int32_t row = first; row < last; row++) {
        te_lut_run(op, te_row(in, row), te_row(out, row), op->row_values);
    }
}

#endif
