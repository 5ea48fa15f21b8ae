/* Division of a sum by the number of its summands, ties away from zero.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_AVERAGE_H
#define TE_AVERAGE_H

#include "te_common.h"

/* A number of pixels, and 2^32 / pixels rounded up. That replaces a division up to 5000, because |sum| <= 128 *
 * pixels; what stands for 2^32 / 1 is one less, and made up for by `half`. */
typedef struct {
    uint32_t pixels;
    uint32_t half;
    uint32_t inverse;
    int32_t divides;
} te_divisor;

/* One division for all channels; `most` pixels are known when compiling. */
TE_INLINE te_divisor te_average_divisor(uint32_t pixels, uint32_t most)
{
    if (pixels <= 1 && most <= 5000) {
        const te_divisor one = {1, 1, 0xffffffffu, 0};
        return one;
    }
    const te_divisor d = {pixels, pixels / 2, 0xffffffffu / pixels + 1, most > 5000};
    return d;
}

/* sum / pixels, ties away from zero. */
TE_INLINE int32_t te_average(int32_t sum, te_divisor d)
{
    const uint32_t nearest = (uint32_t)(sum < 0 ? -sum : sum) + d.half;
    const uint32_t size = d.divides ? nearest / d.pixels : (uint32_t)((uint64_t)nearest * d.inverse >> 32);
    return sum < 0 ? -(int32_t)size : (int32_t)size;
}

#endif
