/* Between real numbers and integers of 8 and 16 bits, exact at every optimisation level (-Ofast included): dividing
 * is done on the bits of the numbers, in integers.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_BORDER_H
#define TE_BORDER_H

#include "te_common.h"

/* A positive number as significand * 2^(exponent - 150), 2^23 <= significand < 2^24. */
typedef struct {
    uint32_t significand;
    int32_t exponent;
} te_real;

TE_INLINE te_real te_unpack(uint32_t bits)
{
    te_real r = {bits & 0x7fffffu, (int32_t)(bits >> 23 & 0xffu)};
    if (r.exponent > 0) {
        r.significand |= 0x800000u;
    } else {
        r.exponent = 1;
        while (r.significand < 0x800000u) { /* callers exclude zero */
            r.significand <<= 1;
            r.exponent--;
        }
    }
    return r;
}

/* x / y in float32 (round to nearest, ties to even), then to an integer (ties away from zero). Both
 * are positive; what is 2^17 or more gives 2^17. */
TE_INLINE int32_t te_ratio(te_real x, te_real y)
{
    int32_t exponent = x.exponent - y.exponent;
    uint32_t rest = x.significand;
    if (rest < y.significand) {
        rest <<= 1;
        exponent--;
    }
    if (exponent < -2 || exponent > 16) {
        return exponent < 0 ? 0 : 1 << 17;
    }
    /* 24 bits of quotient: 1, then 8 + 8 + 7 more. */
    uint32_t quotient = 1;
    rest -= y.significand;
    for (int32_t bits = 8, left = 23; left > 0; left -= bits, bits = te_min(8, left)) {
        rest <<= bits;
        quotient = quotient << bits | rest / y.significand;
        rest %= y.significand;
    }
    quotient += (2 * rest > y.significand || (2 * rest == y.significand && (quotient & 1u) != 0)) ? 1u : 0u;
    const int32_t shift = 23 - exponent;
    return (int32_t)((quotient + ((uint32_t)1 << (shift - 1))) >> shift);
}

/* A real number in units of `scale` (its bits), rounded; not a number gives 0. Saturates at 2^17. */
TE_INLINE int32_t te_from_real(uint32_t bits, uint32_t scale)
{
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude == 0 || magnitude > 0x7f800000u) {
        return 0;
    }
    const int32_t value = magnitude == 0x7f800000u ? 1 << 17 : te_ratio(te_unpack(magnitude), te_unpack(scale));
    return bits >> 31 != 0 ? -value : value;
}

#endif
