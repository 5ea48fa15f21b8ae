/* Products of matrices of which neither is packed: both computed at run time, or one a constant as the file has it.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_MATMUL_H
#define TE_MATMUL_H

#include "te_common.h"

enum { TE_MATMUL_AXES = 3 }; /* of batches */

/* Steps are in values. Operand a gives the rows, b the columns; the output may be laid out the other way. */
typedef struct {
    int32_t batches[TE_MATMUL_AXES];
    int32_t a_batch[TE_MATMUL_AXES]; /* 0 where the operand repeats */
    int32_t b_batch[TE_MATMUL_AXES];
    int32_t rows;
    int32_t depth;
    int32_t columns;
    int32_t a_row;
    int32_t a_depth;
    int32_t b_column;
    int32_t b_depth;
    int32_t y_row;
    int32_t y_column;
} te_matmul_t;

/* Where the matrices of one batch begin. */
typedef struct {
    int32_t a;
    int32_t b;
} te_matmul_start;

TE_INLINE te_matmul_start te_matmul_batch(const te_matmul_t *op, int32_t i, int32_t j, int32_t k)
{
    const te_matmul_start start = {
        i * op->a_batch[0] + j * op->a_batch[1] + k * op->a_batch[2],
        i * op->b_batch[0] + j * op->b_batch[1] + k * op->b_batch[2],
    };
    return start;
}

#endif
