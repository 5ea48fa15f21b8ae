/* One value of two, for two tensors of which each may repeat along any axis, whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_BROADCAST_H
#define TE_PAIR_BROADCAST_H

#include "te_axes.h"
#include "te_pair.h"

typedef struct {
    te_axes_t axes;
    te_pair_t pair;
} te_pair_broadcast_t;

TE_INLINE void te_pair_broadcast_values(const te_pair_broadcast_t *op, const int8_t *a, const int8_t *b, int8_t *y)
{
    const te_axes_t *axes = &op->axes;
    const int32_t bytes = op->pair.bytes;
    te_place place = {{0, 0, 0, 0, 0}, 0, 0};
    do {
        te_pair_run(&op->pair, a + place.a * bytes, axes->step_a[5], b + place.b * bytes, axes->step_b[5], y,
                    axes->size[5] * bytes);
        y += axes->size[5] * bytes;
    } while (te_next_line(axes, &place));
}

TE_INLINE void te_pair_broadcast(const te_pair_broadcast_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip,
                                 void *scratch)
{
    (void)strip, (void)scratch;
    te_pair_broadcast_values(op, (const int8_t *)in.base, (const int8_t *)in2.base, (int8_t *)out.base);
}

#endif
