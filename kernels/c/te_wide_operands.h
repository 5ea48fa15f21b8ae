/* The int16 inputs of four pixels, as te_wide_gemm.h wants them: C twins of the assembly.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WIDE_OPERANDS_H
#define TE_WIDE_OPERANDS_H

#include "te_common.h"

/* `inputs` of one pixel, four words apart; returns where those behind them go. */
TE_INLINE int32_t *te_wide_pixel(const int8_t *x, int32_t *operands, int32_t inputs)
{
    for (; inputs >= 2; inputs -= 2, x += 4, operands += 4) {
        *operands = (int32_t)te_load32(x);
    }
    if (inputs > 0) {
        *operands = *(const uint16_t *)(const void *)x;
        operands += 4;
    }
    return operands;
}

TE_INLINE void te_wide_expand_twin(const int8_t *pixels, int32_t *operands, int32_t distance, int32_t turns,
                                   int32_t turn_words, int32_t words, int32_t last)
{
    for (int32_t pixel = 0; pixel < 4; pixel++) {
        te_wide_pixel(pixels + pixel * distance, operands + pixel, 2 * (turns * turn_words + words) + last);
    }
}

/* Of each pixel `segments` times `inputs`, the last of an odd number with a 0. For each segment the address of the
 * first pixel's, others `pitch` bytes apart; or, if that is 0, the addresses of all four. */
TE_INLINE void te_wide_windows_twin(const int8_t *const *addresses, int32_t *operands, int32_t segments,
                                    int32_t inputs, int32_t pitch)
{
    for (int32_t pixel = 0; pixel < 4; pixel++) {
        int32_t *to = operands + pixel;
        for (int32_t s = 0; s < segments; s++) {
            const int8_t *x = pitch != 0 ? addresses[s] + pixel * pitch : addresses[4 * s + pixel];
            to = te_wide_pixel(x, to, inputs);
        }
    }
}

#endif
