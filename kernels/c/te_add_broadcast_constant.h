/* Sum of a tensor and a constant of which each may repeat along any axis, whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_BROADCAST_CONSTANT_H
#define TE_ADD_BROADCAST_CONSTANT_H

#include "te_add_broadcast.h"

typedef struct {
    const int8_t *constant; /* operand b */
    te_add_broadcast_t add;
} te_add_broadcast_constant_t;

TE_INLINE void te_add_broadcast_constant(const te_add_broadcast_constant_t *op, te_rows in, te_rows out,
                                         te_strip strip, void *scratch)
{
    (void)strip, (void)scratch;
    te_add_broadcast_values(&op->add, (const int8_t *)in.base, op->constant, (int8_t *)out.base);
}

#endif
