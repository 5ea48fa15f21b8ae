/* What four pixels see, expanded to the operands of te_gemm.h: C twin of the assembly.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_EXPAND_WINDOWS_H
#define TE_EXPAND_WINDOWS_H

#include "te_gemm_operands.h"

typedef void te_expand_windows_routine(const int8_t *const *addresses, int32_t *operands);

/* Where the bytes of a segment begin. */
TE_INLINE const int8_t *te_expand_seen(const int8_t *const *addresses, int32_t pitch, int32_t pixel, int32_t segment)
{
    return pitch != 0 ? addresses[segment] + pixel * pitch : addresses[4 * segment + pixel];
}

/* Of each pixel `segments` times `segment` bytes: first the whole words of all segments, then the bytes that are
 * left over of all segments, four to a word. Of a segment the first words of all taps come first. For each segment
 * the address of the first pixel's, others `pitch` bytes apart; or, if that is 0, the addresses of all four. */
TE_INLINE void te_expand_windows_twin(const int8_t *const *addresses, int32_t *operands, int32_t x256,
                                      int32_t segments, int32_t segment, int32_t taps, int32_t pitch)
{
    const int32_t words = segment / 4, tails = (segments * (segment % 4) + 3) / 4 * 4;
    for (int32_t pixel = 0; pixel < 4; pixel++) {
        int32_t *to = operands + pixel;
        for (int32_t s = 0; s < segments; s++) {
            const int8_t *x = te_expand_seen(addresses, pitch, pixel, s);
            for (int32_t i = 0; i < words; i++, to += 8) {
                te_expand_group(te_load32(x + i % taps * (segment / taps) + i / taps * 4), to, 4, x256);
            }
        }
        for (int32_t i = 0; i < tails; i += 4, to += 8) {
            uint32_t word = 0;
            for (int32_t k = 0; k < 4; k++) {
                const int32_t s = (i + k) / (segment % 4), byte = 4 * words + (i + k) % (segment % 4);
                if (s < segments) {
                    word |= (uint32_t)(uint8_t)te_expand_seen(addresses, pitch, pixel, s)[byte] << 8 * k;
                }
            }
            te_expand_group(word, to, 4, x256);
        }
    }
}

#endif
