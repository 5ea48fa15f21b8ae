/* Products of matrices of int16 values, four columns at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_MATMUL_16_H
#define TE_MATMUL_16_H

#include "te_matmul.h"
#include "te_requant64.h"

typedef struct {
    te_matmul_t product;
    te_output_16_t output;
} te_matmul_16_t;

typedef struct {
    int64_t a, b, c, d;
} te_matmul_16_sums;

TE_INLINE te_matmul_16_sums te_matmul_16_step(te_matmul_16_sums s, int32_t x, const int16_t *b, int32_t next)
{
    s.a += (int64_t)x * b[0];
    s.b += (int64_t)x * b[next];
    s.c += (int64_t)x * b[2 * next];
    s.d += (int64_t)x * b[3 * next];
    return s;
}

/* One row of the output, all columns. */
TE_INLINE void te_matmul_16_row(const te_matmul_16_t *op, const int16_t *a, const int16_t *b, int16_t *y)
{
    const te_matmul_t *p = &op->product;
    int32_t column = 0;
    for (; column + 4 <= p->columns; column += 4, b += 4 * p->b_column, y += 4 * p->y_column) {
        te_matmul_16_sums s = {0, 0, 0, 0};
        TE_UNROLL
        for (int32_t k = 0; k < p->depth; k++) {
            s = te_matmul_16_step(s, a[k * p->a_depth], b + k * p->b_depth, p->b_column);
        }
        y[0] = te_finish_16(&op->output, s.a, 0);
        y[p->y_column] = te_finish_16(&op->output, s.b, 0);
        y[2 * p->y_column] = te_finish_16(&op->output, s.c, 0);
        y[3 * p->y_column] = te_finish_16(&op->output, s.d, 0);
    }
    for (; column < p->columns; column++, b += p->b_column, y += p->y_column) {
        int64_t sum = 0;
        for (int32_t k = 0; k < p->depth; k++) {
            sum += (int64_t)a[k * p->a_depth] * b[k * p->b_depth];
        }
        *y = te_finish_16(&op->output, sum, 0);
    }
}

TE_INLINE void te_matmul_16_all(const te_matmul_16_t *op, const int16_t *a, const int16_t *b, int16_t *y)
{
    const te_matmul_t *p = &op->product;
    for (int32_t i = 0; i < p->batches[0]; i++) {
        for (int32_t j = 0; j < p->batches[1]; j++) {
            for (int32_t k = 0; k < p->batches[2]; k++, y += p->rows * p->columns) {
                const te_matmul_start start = te_matmul_batch(p, i, j, k);
                for (int32_t row = 0; row < p->rows; row++) {
                    te_matmul_16_row(op, a + start.a + row * p->a_row, b + start.b, y + row * p->y_row);
                }
            }
        }
    }
}

#endif
