/* Products of matrices of int8 values, for each of some batches. Both matrices are computed at run time.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_BATCH_MATMUL_H
#define TE_BATCH_MATMUL_H

#include "te_matmul_8.h"
#include "te_rows.h"

typedef struct {
    te_matmul_8_t values;
} te_batch_matmul_t;

TE_INLINE void te_batch_matmul(const te_batch_matmul_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip,
                               void *scratch)
{
    const int8_t *a = (const int8_t *)(const void *)in.base;
    (void)strip, (void)scratch;
    te_matmul_8_all(&op->values, a, (const int8_t *)(const void *)in2.base, (int8_t *)(void *)out.base);
}

#endif
