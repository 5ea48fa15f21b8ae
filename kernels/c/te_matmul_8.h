/* Products of matrices of int8 values, four columns at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_MATMUL_8_H
#define TE_MATMUL_8_H

#include "te_matmul.h"
#include "te_requant.h"

typedef struct {
    te_matmul_t product;
    int32_t a_zero;
    int32_t b_zero;
    const int32_t *bias; /* of each column, or NULL */
    te_output_t output;
} te_matmul_8_t;

typedef struct {
    uint32_t a, b, c, d;
} te_matmul_8_sums;

TE_INLINE te_matmul_8_sums te_matmul_8_step(te_matmul_8_sums s, int32_t x, const int8_t *b, int32_t next)
{
    s.a = te_mac(s.a, x, b[0]);
    s.b = te_mac(s.b, x, b[next]);
    s.c = te_mac(s.c, x, b[2 * next]);
    s.d = te_mac(s.d, x, b[3 * next]);
    return s;
}

/* What b's zero point takes from every sum over a row of a. */
TE_INLINE uint32_t te_matmul_8_extra(const te_matmul_8_t *op, const int8_t *a)
{
    uint32_t extra = 0;
    if (op->b_zero != 0) {
        for (int32_t k = 0; k < op->product.depth; k++) {
            extra = te_mac(extra, a[k * op->product.a_depth] - op->a_zero, -op->b_zero);
        }
    }
    return extra;
}

TE_INLINE uint32_t te_matmul_8_bias(const te_matmul_8_t *op, int32_t column)
{
    return op->bias != NULL ? (uint32_t)op->bias[column] : 0u;
}

/* One row of the output, all columns. */
TE_INLINE void te_matmul_8_row(const te_matmul_8_t *op, const int8_t *a, const int8_t *b, int8_t *y)
{
    const te_matmul_t *p = &op->product;
    const uint32_t extra = te_matmul_8_extra(op, a);
    int32_t column = 0;
    for (; column + 4 <= p->columns; column += 4, b += 4 * p->b_column, y += 4 * p->y_column) {
        te_matmul_8_sums s = {extra + te_matmul_8_bias(op, column), extra + te_matmul_8_bias(op, column + 1),
                               extra + te_matmul_8_bias(op, column + 2), extra + te_matmul_8_bias(op, column + 3)};
        TE_UNROLL
        for (int32_t k = 0; k < p->depth; k++) {
            s = te_matmul_8_step(s, a[k * p->a_depth] - op->a_zero, b + k * p->b_depth, p->b_column);
        }
        y[0] = te_finish_channel(&op->output, s.a, 0);
        y[p->y_column] = te_finish_channel(&op->output, s.b, 0);
        y[2 * p->y_column] = te_finish_channel(&op->output, s.c, 0);
        y[3 * p->y_column] = te_finish_channel(&op->output, s.d, 0);
    }
    for (; column < p->columns; column++, b += p->b_column, y += p->y_column) {
        uint32_t sum = extra + te_matmul_8_bias(op, column);
        for (int32_t k = 0; k < p->depth; k++) {
            sum = te_mac(sum, a[k * p->a_depth] - op->a_zero, b[k * p->b_depth]);
        }
        *y = te_finish_channel(&op->output, sum, 0);
    }
}

TE_INLINE void te_matmul_8_all(const te_matmul_8_t *op, const int8_t *a, const int8_t *b, int8_t *y)
{
    const te_matmul_t *p = &op->product;
    for (int32_t i = 0; i < p->batches[0]; i++) {
        for (int32_t j = 0; j < p->batches[1]; j++) {
            for (int32_t k = 0; k < p->batches[2]; k++, y += p->rows * p->columns) {
                const te_matmul_start start = te_matmul_batch(p, i, j, k);
                for (int32_t row = 0; row < p->rows; row++) {
                    te_matmul_8_row(op, a + start.a + row * p->a_row, b + start.b, y + row * p->y_row);
                }
            }
        }
    }
}

#endif
