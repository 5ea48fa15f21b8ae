/* Products of matrices of int16 values, for each of some batches. One matrix is a constant, operand b.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_BATCH_MATMUL_CONSTANT_16_H
#define TE_BATCH_MATMUL_CONSTANT_16_H

#include "te_matmul_16.h"
#include "te_rows.h"

typedef struct {
    const int16_t *constant;
    te_matmul_16_t values;
} te_batch_matmul_constant_16_t;

TE_INLINE void te_batch_matmul_constant_16(const te_batch_matmul_constant_16_t *op, te_rows in, te_rows out,
                                           te_strip strip, void *scratch)
{
    const int16_t *a = (const int16_t *)(const void *)in.base;
    (void)strip, (void)scratch;
    te_matmul_16_all(&op->values, a, op->constant, (int16_t *)(void *)out.base);
}

#endif
