/* A border around a whole tensor, along any axes. Axes without a border are merged into the one before by
 * the compiler of the model.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAD_ANY_H
#define TE_PAD_ANY_H

#include "te_fill_word.h"
#include "te_rows.h"

/* Axes of the output, outermost first, each with the part [before, before + inside) that is input. */
typedef struct {
    int32_t word; /* four bytes of the border */
    int32_t size[6];
    int32_t before[6];
    int32_t inside[6];
} te_pad_any_t;

/* One run along the last axis. Returns how many input values it took. */
TE_INLINE int32_t te_pad_line(const te_pad_any_t *op, const int32_t *index, const int8_t *x, int8_t *y)
{
    const int32_t before = op->before[5], inside = op->inside[5];
    for (int32_t axis = 0; axis < 5; axis++) {
        if (index[axis] < op->before[axis] || index[axis] >= op->before[axis] + op->inside[axis]) {
            te_fill_word(y, op->word, op->size[5]);
            return 0;
        }
    }
    te_fill_word(y, op->word, before);
    te_copy(y + before, x, inside);
    te_fill_word(y + before + inside, op->word, op->size[5] - before - inside);
    return inside;
}

TE_INLINE void te_pad_any(const te_pad_any_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int8_t *x = (const int8_t *)in.base;
    int8_t *y = (int8_t *)out.base;
    int32_t index[5] = {0, 0, 0, 0, 0};
    int32_t axis = 4;
    (void)strip, (void)scratch;
    while (axis >= 0) {
        x += te_pad_line(op, index, x, y);
        y += op->size[5];
        for (axis = 4; axis >= 0; axis--) {
            if (++index[axis] < op->size[axis]) {
                break;
            }
            index[axis] = 0;
        }
    }
}

#endif
