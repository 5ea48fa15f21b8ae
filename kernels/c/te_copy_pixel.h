/* Copying one pixel: a number of bytes that is known when compiling.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_COPY_PIXEL_H
#define TE_COPY_PIXEL_H

#include "te_common.h"

/* As te_copy, without loops where it is short. */
TE_INLINE void te_copy_pixel(int8_t *to, const int8_t *from, int32_t count)
{
    const int32_t whole = count - count % 4;
    TE_UNROLL
    for (int32_t i = 0; i < whole; i += 4) {
        te_store32(to + i, te_load32(from + i));
    }
    TE_UNROLL
    for (int32_t i = whole; i < count; i++) {
        to[i] = from[i];
    }
}

#endif
