/* Inputs of four pixels, expanded to the operands of te_gemm.h: C twin of the assembly.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GEMM_OPERANDS_H
#define TE_GEMM_OPERANDS_H

#include "te_halves.h"

/* Pixels `distance` bytes apart, at any address; `turns` tell how many inputs: of int8, whole words of four. */
typedef void te_expand_routine(const int8_t *pixels, int32_t *operands, int32_t distance, int32_t turns);

/* Four inputs, whose operands A and B lie so many words apart. Either halves x[0] - 127, x[2] - 127 and 256 * x[1] + 127 - x[0], 256 * x[3] + 127 - x[2];
 * or halves x[0], x[2] and x[1], x[3]. */
TE_INLINE void te_expand_group(uint32_t word, int32_t *operands, int32_t apart, int32_t x256)
{
    const uint32_t even = te_sxtb16(word), odd = te_sxtb16(word >> 8 | word << 24);
    if (x256) {
        operands[0] = (int32_t)te_halves(te_low16(even) - 127, te_high16(even) - 127);
        operands[apart] = (int32_t)(word ^ 0x007F007Fu);
    } else {
        operands[0] = (int32_t)even;
        operands[apart] = (int32_t)odd;
    }
}

/* Whole groups of four inputs, and a rest. */
TE_INLINE void te_expand_pixel(const int8_t *x, int32_t *operands, int32_t apart, int32_t groups, int32_t x256,
                               int32_t rest)
{
    uint32_t word = 0;
    for (int32_t group = 0; group < groups; group++) {
        te_expand_group(te_load32(x + 4 * group), operands + 2 * apart * group, apart, x256);
    }
    for (int32_t i = rest - 1; i >= 0; i--) {
        word = word << 8 | (uint8_t)x[4 * groups + i];
    }
    if (rest > 0) {
        te_expand_group(word, operands + 2 * apart * groups, apart, x256);
    }
}

TE_INLINE void te_expand_twin(const int8_t *pixels, int32_t *operands, int32_t distance, int32_t turns, int32_t x256,
                              int32_t rest)
{
    for (int32_t pixel = 0; pixel < 4; pixel++) {
        te_expand_pixel(pixels + pixel * distance, operands + pixel, 4, turns, x256, rest);
    }
}

#endif
