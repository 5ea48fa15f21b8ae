/* Pieces of a tensor in the order of numbers that are computed at run time.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GATHER_ANY_H
#define TE_GATHER_ANY_H

#include "te_copy_pixel.h"
#include "te_rows.h"

/* For each batch `count` numbers; each of its groups gives the pieces of these numbers out of `size`. */
typedef struct {
    const int8_t *values; /* constant; NULL: the first input */
    int32_t batches;
    int32_t groups;
    int32_t size;
    int32_t count;
    int32_t piece; /* bytes */
} te_gather_any_t;

/* One group. Numbers outside stand for the nearest inside, so that nothing else is ever read. */
TE_INLINE void te_gather_group(const te_gather_any_t *op, const int8_t *x, const int8_t *numbers, int8_t *y)
{
    for (int32_t i = 0; i < op->count; i++) {
        const int32_t number = (int32_t)te_load32(numbers + 4 * i);
        te_copy_pixel(y + i * op->piece, x + te_max(te_min(number, op->size - 1), 0) * op->piece, op->piece);
    }
}

TE_INLINE void te_gather_any(const te_gather_any_t *op, const te_rows *in, int32_t inputs, te_rows out, te_strip strip,
                             void *scratch)
{
    const int8_t *x = op->values ? op->values : (const int8_t *)in[0].base;
    const int8_t *numbers = (const int8_t *)in[inputs - 1].base;
    int8_t *y = (int8_t *)out.base;
    (void)strip, (void)scratch;
    for (int32_t batch = 0; batch < op->batches; batch++) {
        for (int32_t group = 0; group < op->groups; group++) {
            te_gather_group(op, x, numbers + 4 * batch * op->count, y);
            x += op->size * op->piece;
            y += op->count * op->piece;
        }
    }
}

#endif
