/* Words as two halves or four bytes: single instructions of the DSP extension that compilers do not find by
 * themselves, and the same in C.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_HALVES_H
#define TE_HALVES_H

#include "te_common.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define TE_DSP __ARM_FEATURE_DSP
#else
#define TE_DSP 0
#endif

TE_INLINE int32_t te_low16(uint32_t word)
{
    return (int32_t)(int16_t)(uint16_t)word;
}

TE_INLINE int32_t te_high16(uint32_t word)
{
    return (int32_t)(int16_t)(uint16_t)(word >> 16);
}

TE_INLINE uint32_t te_halves(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

/* The low halves of two words, and their high halves. */
TE_INLINE uint32_t te_low_halves(uint32_t low, uint32_t high)
{
#if TE_DSP
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(low) : "r"(low), "r"(high));
    return low;
#else
    return (low & 0xFFFFu) | high << 16;
#endif
}

TE_INLINE uint32_t te_high_halves(uint32_t low, uint32_t high)
{
#if TE_DSP
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(low) : "r"(high), "r"(low));
    return low;
#else
    return low >> 16 | (high & 0xFFFF0000u);
#endif
}

/* Bytes 0 and 2 as halves, and bytes 1 and 3. */
TE_INLINE uint32_t te_even_bytes(uint32_t word)
{
#if TE_DSP
    __asm__("uxtb16 %0, %1" : "=r"(word) : "r"(word));
    return word;
#else
    return word & 0x00FF00FFu;
#endif
}

TE_INLINE uint32_t te_odd_bytes(uint32_t word)
{
#if TE_DSP
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(word) : "r"(word));
    return word;
#else
    return word >> 8 & 0x00FF00FFu;
#endif
}

/* Bytes 0 and 2 as halves with sign. */
TE_INLINE uint32_t te_sxtb16(uint32_t word)
{
#if TE_DSP
    __asm__("sxtb16 %0, %1" : "=r"(word) : "r"(word));
    return word;
#else
    return te_halves((int8_t)(uint8_t)word, (int8_t)(uint8_t)(word >> 16));
#endif
}

/* Sum of products of halves, wrapping. */
TE_INLINE uint32_t te_smlad(uint32_t a, uint32_t b, uint32_t acc)
{
#if TE_DSP
    __asm__("smlad %0, %1, %2, %0" : "+r"(acc) : "r"(a), "r"(b));
    return acc;
#else
    return acc + (uint32_t)(te_low16(a) * te_low16(b)) + (uint32_t)(te_high16(a) * te_high16(b));
#endif
}

#endif
