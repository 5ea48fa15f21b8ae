/* A factor of its own, for operators that scale in more than one place.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_FACTOR_H
#define TE_FACTOR_H

#include "te_requant.h"

typedef struct {
    int32_t mantissa;
    int32_t shift;
    te_rounding rounding;
} te_factor_t;

/* Scale, clamp. */
TE_INLINE int32_t te_scaled(te_factor_t factor, uint32_t acc, int32_t low, int32_t high)
{
    const te_output_t out = {NULL, 0, low, high, factor.rounding};
    return te_finish(&out, acc, factor.mantissa, factor.shift);
}

#endif
