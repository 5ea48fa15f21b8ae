/* The logistic function and the hyperbolic tangent as int16, interpolated in one table of 256 entries: 1 / (1 +
 * exp(-i / 24)), Q0.16. Both take numbers in units of 1/12288 (an int16 value in Q3.12, times 3).
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SIGMOID16_H
#define TE_SIGMOID16_H

#include "te_common.h"

/* The table at `distance` / 2^bits, with so many bits more than it; from its last entry on its end. */
TE_INLINE int32_t te_sigmoid16_entry(const uint16_t *table, uint32_t distance, int32_t bits, uint32_t end)
{
    const uint32_t i = distance >> bits;
    if (i >= 255) {
        return (int32_t)(end << bits);
    }
    const uint32_t rest = distance & (((uint32_t)1 << bits) - 1);
    return (int32_t)(((uint32_t)table[i] << bits) + rest * ((uint32_t)table[i + 1] - table[i]));
}

TE_INLINE uint32_t te_sigmoid16_distance(int32_t value) { return value < 0 ? 0u - (uint32_t)value : (uint32_t)value; }

TE_INLINE int32_t te_logistic16(const uint16_t *table, int32_t value)
{
    const int32_t found = te_sigmoid16_entry(table, te_sigmoid16_distance(value), 9, 0xfffe);
    return (value >= 0 ? found + (1 << 9) : (1 << 25) - found + (1 << 9) - 1) >> 10;
}

TE_INLINE int32_t te_tanh16(const uint16_t *table, int32_t value)
{
    const int32_t found = te_sigmoid16_entry(table, te_sigmoid16_distance(value), 8, 0xffff) - (1 << 23);
    return (value >= 0 ? found + (1 << 7) : (1 << 7) - 1 - found) >> 8;
}

#endif
