/* Sum of two tensors of which each may repeat along any axis, whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_BROADCAST_H
#define TE_ADD_BROADCAST_H

#include "te_rows.h"
#include "te_sum.h"

/* Axes of the output, outermost first; a step of 0 repeats. */
typedef struct {
    int32_t size[6];
    int32_t step_a[6];
    int32_t step_b[6];
    te_sum_t sum;
} te_add_broadcast_t;

TE_INLINE void te_add_broadcast_line(const te_add_broadcast_t *op, const int8_t *a, const int8_t *b, int8_t *y)
{
    for (int32_t i = 0; i < op->size[5]; i++) {
        y[i] = te_sum(&op->sum, a[i * op->step_a[5]], b[i * op->step_b[5]]);
    }
}

/* Counts through all axes but the last, like the digits of a number. */
TE_INLINE void te_add_broadcast_values(const te_add_broadcast_t *op, const int8_t *a, const int8_t *b, int8_t *y)
{
    int32_t index[5] = {0, 0, 0, 0, 0};
    int32_t axis = 4;
    while (axis >= 0) {
        te_add_broadcast_line(op, a, b, y);
        y += op->size[5];
        for (axis = 4; axis >= 0; axis--) {
            a += op->step_a[axis];
            b += op->step_b[axis];
            if (++index[axis] < op->size[axis]) {
                break;
            }
            a -= op->size[axis] * op->step_a[axis];
            b -= op->size[axis] * op->step_b[axis];
            index[axis] = 0;
        }
    }
}

TE_INLINE void te_add_broadcast(const te_add_broadcast_t *op, te_rows in, te_rows in2, te_rows out, int32_t first,
                                int32_t last, void *scratch)
{
    (void)first, (void)last, (void)scratch;
    te_add_broadcast_values(op, (const int8_t *)in.base, (const int8_t *)in2.base, (int8_t *)out.base);
}

#endif
