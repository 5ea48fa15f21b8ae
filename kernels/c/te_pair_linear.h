/* C twin of the assembly of sums and differences: the same constants, the same bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_LINEAR_H
#define TE_PAIR_LINEAR_H

#include "te_common.h"

/* `constants`: both weights, the offset. Sums are proved to stay below 2^31. */
TE_INLINE int32_t te_pair_weighted(int32_t weight, int32_t value)
{
    return (int32_t)((int64_t)weight * value >> 8);
}

TE_INLINE void te_pair_linear_twin(const int8_t *a, const int8_t *b, int8_t *y, int32_t count,
                                   const int32_t *constants, int32_t fixed, int32_t shift, int32_t low, int32_t high)
{
    const int32_t offset = constants[2], one = b[0];
    for (int32_t i = 0; i < count; i++) {
        const int32_t sum = te_pair_weighted(constants[0], a[i]) + te_pair_weighted(constants[1], fixed ? one : b[i]);
        y[i] = (int8_t)te_clamp((sum + offset) >> shift, low, high);
    }
}

#endif
