/* One value of two, for a tensor and a constant of which each may repeat along any axis, whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_BROADCAST_CONSTANT_H
#define TE_PAIR_BROADCAST_CONSTANT_H

#include "te_pair_broadcast.h"

typedef struct {
    const void *constant; /* operand b */
    te_pair_broadcast_t broadcast;
} te_pair_broadcast_constant_t;

TE_INLINE void te_pair_broadcast_constant(const te_pair_broadcast_constant_t *op, te_rows in, te_rows out,
                                          te_strip strip, void *scratch)
{
    (void)strip, (void)scratch;
    te_pair_broadcast_values(&op->broadcast, (const int8_t *)in.base, (const int8_t *)op->constant,
                             (int8_t *)out.base);
}

#endif
