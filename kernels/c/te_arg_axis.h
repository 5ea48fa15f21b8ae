/* Where along any axis of a whole tensor the extreme value lies.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ARG_AXIS_H
#define TE_ARG_AXIS_H

#include "te_arg.h"
#include "te_rows.h"

typedef struct {
    te_arg_t arg;
    int32_t before; /* elements of all axes before it, along it, and of all after it */
    int32_t size;
    int32_t after;
} te_arg_axis_t;

TE_INLINE void te_arg_axis(const te_arg_axis_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)strip, (void)scratch;
    for (int32_t i = 0; i < op->before; i++) {
        for (int32_t j = 0; j < op->after; j++) {
            const int8_t *x = (const int8_t *)in.base + i * op->size * op->after + j;
            te_arg(&op->arg, x, op->size, op->after, (int8_t *)out.base, i * op->after + j);
        }
    }
}

#endif
