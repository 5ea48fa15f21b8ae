/* Division of a sum by the number of its summands, ties away from zero or up.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_AVERAGE_H
#define TE_AVERAGE_H

#include "te_common.h"

/* What is averaged, known when compiling. */
typedef struct {
    int32_t bytes;   /* of an element: 1 or 2 */
    int32_t ties_up; /* or else away from zero */
} te_average_t;

/* A number of pixels, and 2^32 / pixels rounded up. That replaces a division for as many pixels as te_exact tells;
 * what stands for 2^32 / 1 is one less, and made up for by `half`. */
typedef struct {
    uint32_t pixels;
    uint32_t half;
    uint32_t inverse;
    int32_t divides;
} te_divisor;

/* So many pixels of 128, of 255 (ties up) or of 32768 and half a pixel, times the error of `inverse`, which is less
 * than `pixels`, stay below 2^32. */
TE_INLINE uint32_t te_exact(te_average_t kind)
{
    return kind.bytes == 2 ? 360 : kind.ties_up ? 4000 : 5000;
}

/* One division for all channels; `most` pixels are known when compiling. */
TE_INLINE te_divisor te_average_divisor(te_average_t kind, uint32_t pixels, uint32_t most)
{
    if (pixels <= 1 && most <= te_exact(kind)) {
        const te_divisor one = {1, 1, 0xffffffffu, 0};
        return one;
    }
    const te_divisor d = {pixels, pixels / 2, 0xffffffffu / pixels + 1, most > te_exact(kind)};
    return d;
}

TE_INLINE uint32_t te_divided(uint32_t sum, te_divisor d)
{
    const uint32_t nearest = sum + d.half;
    return d.divides ? nearest / d.pixels : (uint32_t)((uint64_t)nearest * d.inverse >> 32);
}

/* sum / pixels; bytes whose ties go up are lifted above zero for that. */
TE_INLINE int32_t te_average(te_average_t kind, int32_t sum, te_divisor d)
{
    if (kind.ties_up) {
        return (int32_t)te_divided((uint32_t)sum + 128 * d.pixels, d) - 128;
    }
    const uint32_t size = te_divided((uint32_t)(sum < 0 ? -sum : sum), d);
    return sum < 0 ? -(int32_t)size : (int32_t)size;
}

#endif
