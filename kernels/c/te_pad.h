/* A border around an image, any strip of rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAD_H
#define TE_PAD_H

#include "te_rows.h"

typedef struct {
    int32_t value; /* of the border */
    int32_t top;   /* rows of it above */
    int32_t left;  /* bytes of it before and after each row */
    int32_t right;
    int32_t in_bytes; /* of an input row */
} te_pad_t;

TE_INLINE void te_pad(const te_pad_t *op, te_rows in, te_rows out, int32_t first, int32_t last, void *scratch)
{
    (void)scratch;
    for (int32_t row = first; row < last; row++) {
        int8_t *y = te_row(out, row);
        if (row >= op->top && row < op->top + in.rows) {
            te_fill(y, op->value, op->left);
            te_copy(y + op->left, te_row(in, row - op->top), op->in_bytes);
            te_fill(y + op->left + op->in_bytes, op->value, op->right);
        } else {
            te_fill(y, op->value, op->left + op->in_bytes + op->right);
        }
    }
}

#endif
