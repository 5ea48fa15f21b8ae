/* Where the largest or smallest of some bytes lies, the first if there are several.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ARG_H
#define TE_ARG_H

#include "te_common.h"

typedef struct {
    int32_t smallest;    /* or else the largest */
    int32_t index_bytes; /* of the result: 4 or 8 */
} te_arg_t;

/* Of `count` bytes, `step` from one to the next; writes result number `index`. */
TE_INLINE void te_arg(const te_arg_t *op, const int8_t *x, int32_t count, int32_t step, int8_t *y, int32_t index)
{
    int32_t best = x[0], place = 0;
    for (int32_t i = 1; i < count; i++) {
        const int32_t value = x[i * step];
        if (op->smallest ? value < best : value > best) {
            best = value;
            place = i;
        }
    }
    te_store32(y + index * op->index_bytes, (uint32_t)place);
    if (op->index_bytes == 8) {
        te_store32(y + index * 8 + 4, 0);
    }
}

#endif
