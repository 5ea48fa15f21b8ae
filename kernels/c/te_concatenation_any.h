/* Tensors one after the other along any axis, whole: pieces of all inputs alternate.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CONCATENATION_ANY_H
#define TE_CONCATENATION_ANY_H

#include "te_parts.h"

typedef struct {
    int32_t rounds; /* pieces of each input */
    te_parts_t parts;
} te_concatenation_any_t;

TE_INLINE void te_concatenation_any(const te_concatenation_any_t *op, const te_rows *in, int32_t count, te_rows out,
                                    te_strip strip, void *scratch)
{
    const te_parts_t *parts = &op->parts;
    int8_t *y = (int8_t *)out.base;
    (void)count, (void)strip, (void)scratch;
    for (int32_t round = 0; round < op->rounds; round++) {
        for (int32_t i = 0; i < parts->count; i++) {
            const int8_t *x = parts->source[i] < 0 ? parts->constants + parts->start[i]
                                                   : (const int8_t *)in[parts->source[i]].base;
            if (x != y) { /* unless it was computed where it belongs */
                te_copy(y, x + round * parts->size[i], parts->size[i]);
            }
            y += parts->size[i];
        }
    }
}

#endif
