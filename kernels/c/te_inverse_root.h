/* One over the square root of integers, in 32-bit fixed point as TFLite's reference kernels compute it.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_INVERSE_ROOT_H
#define TE_INVERSE_ROOT_H

#include "te_requant.h"

/* A positive factor, mantissa * 2^(shift - 31). */
typedef struct {
    int32_t mantissa;
    int32_t shift;
} te_root;

/* value * 2^bits, saturated. */
TE_INLINE int32_t te_shift_up(int32_t value, int32_t bits)
{
    const int32_t most = INT32_MAX >> bits;
    return value > most ? INT32_MAX : value < -most - 1 ? INT32_MIN : value * (1 << bits);
}

/* 1 / sqrt(value), both Q3.28, for values of 1/4 ... 1: Newton's method from 1. */
TE_INLINE int32_t te_newton_root(int32_t value)
{
    const int32_t half = te_round_shift(value, 1);
    int32_t x = 1 << 28;
    for (int32_t i = 0; i < 5; i++) {
        const int32_t cube = te_shift_up(te_high_mul(te_high_mul(x, x), x), 6);
        x = te_shift_up(te_high_mul(x, (1 << 28) + (1 << 27)) - te_high_mul(half, cube), 3);
    }
    return x;
}

/* Nothing counts as 1. */
TE_INLINE te_root te_inverse_root(uint32_t value)
{
    te_root root = {INT32_MAX, 0};
    int32_t right = 11;
    if (value <= 1) {
        return root;
    }
    if (value >= (uint32_t)1 << 29) {
        value >>= 2;
        right++;
    }
    while (value < (uint32_t)1 << 27) {
        value <<= 2;
        right--;
    }
    root.mantissa = te_high_mul(te_newton_root((int32_t)(value >> 1)), 1518500250); /* sqrt(1/2) */
    root.mantissa *= 1 << te_max(-right, 0);
    root.shift = -te_max(right, 0);
    return root;
}

#endif
