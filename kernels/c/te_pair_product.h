/* C twin of the assembly of products: the same constants, the same bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_PRODUCT_H
#define TE_PAIR_PRODUCT_H

#include "te_halves.h"

/* `constants`: both zero points, negated, in halves; factor; addend. `tells`: does a product's sign decide ties? */
TE_INLINE void te_pair_product_twin(const int8_t *a, const int8_t *b, int8_t *y, int32_t count,
                                    const int32_t *constants, int32_t fixed, int32_t shift, int32_t tells,
                                    int32_t low, int32_t high)
{
    const int32_t zero_a = te_low16((uint32_t)constants[0]), zero_b = te_low16((uint32_t)constants[1]), one = b[0];
    for (int32_t i = 0; i < count; i++) {
        const int64_t twice = 2 * (a[i] + zero_a) * ((fixed ? one : b[i]) + zero_b);
        const int32_t scaled = (int32_t)((twice * constants[2] + ((int64_t)1 << 31)) >> 32);
        y[i] = (int8_t)te_clamp((scaled + constants[3] - (tells && twice < 0)) >> shift, low, high);
    }
}

#endif
