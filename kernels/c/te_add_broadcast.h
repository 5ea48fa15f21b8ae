/* Sum of two tensors of which each may repeat along any axis, whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_BROADCAST_H
#define TE_ADD_BROADCAST_H

#include "te_axes.h"
#include "te_rows.h"
#include "te_sum.h"

typedef struct {
    te_axes_t axes;
    te_sum_t sum;
} te_add_broadcast_t;

TE_INLINE void te_add_broadcast_values(const te_add_broadcast_t *op, const int8_t *a, const int8_t *b, int8_t *y)
{
    const te_axes_t *axes = &op->axes;
    te_place place = {{0, 0, 0, 0, 0}, 0, 0};
    do {
        te_sum_run(&op->sum, a + place.a, axes->step_a[5], b + place.b, axes->step_b[5], y, axes->size[5]);
        y += axes->size[5];
    } while (te_next_line(axes, &place));
}

TE_INLINE void te_add_broadcast(const te_add_broadcast_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip,
                                void *scratch)
{
    (void)strip, (void)scratch;
    te_add_broadcast_values(op, (const int8_t *)in.base, (const int8_t *)in2.base, (int8_t *)out.base);
}

#endif
