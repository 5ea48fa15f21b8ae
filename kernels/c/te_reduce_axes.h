/* Sum, maximum or minimum over any axes of a whole tensor. Neighbouring axes of one kind are merged by the
 * compiler of the model, which leaves at most three that stay and three that go, outermost first.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REDUCE_AXES_H
#define TE_REDUCE_AXES_H

#include "te_reduce.h"
#include "te_rows.h"

/* Steps are in elements. */
typedef struct {
    int32_t kept[3];
    int32_t kept_step[3];
    int32_t reduced[3];
    int32_t reduced_step[3];
    te_reduce_t reduce;
} te_reduce_axes_t;

TE_INLINE uint32_t te_reduce_axes_value(const te_reduce_axes_t *op, const int8_t *x)
{
    uint32_t acc = te_reduce_first(&op->reduce);
    for (int32_t a = 0; a < op->reduced[0]; a++) {
        for (int32_t b = 0; b < op->reduced[1]; b++) {
            const int32_t first = a * op->reduced_step[0] + b * op->reduced_step[1];
            acc = te_reduce_run(&op->reduce, acc, x + first * op->reduce.bytes, op->reduced[2], op->reduced_step[2]);
        }
    }
    return acc;
}

TE_INLINE void te_reduce_axes(const te_reduce_axes_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    int32_t done = 0;
    (void)strip, (void)scratch;
    for (int32_t a = 0; a < op->kept[0]; a++) {
        for (int32_t b = 0; b < op->kept[1]; b++) {
            for (int32_t c = 0; c < op->kept[2]; c++) {
                const int32_t first = a * op->kept_step[0] + b * op->kept_step[1] + c * op->kept_step[2];
                const int8_t *x = (const int8_t *)in.base + first * op->reduce.bytes;
                te_reduce_end(&op->reduce, te_reduce_axes_value(op, x), (int8_t *)out.base, done++);
            }
        }
    }
}

#endif
