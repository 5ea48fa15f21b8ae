/* Repeating a value of one, two or four bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_FILL_WORD_H
#define TE_FILL_WORD_H

#include "te_common.h"

/* `pattern` holds four bytes, or fewer values side by side, that begin with the lowest. */
TE_INLINE void te_fill_word(int8_t *to, int32_t pattern, int32_t bytes)
{
    uint32_t word = (uint32_t)pattern;
    int32_t i = 0;
    for (; i + 4 <= bytes; i += 4) {
        te_store32(to + i, word);
    }
    for (; i < bytes; i++) {
        to[i] = (int8_t)(word & 0xFFu);
        word >>= 8;
    }
}

#endif
