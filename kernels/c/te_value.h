/* Elements of one, two or four bytes, for kernels that take several: the size is known when compiling.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_VALUE_H
#define TE_VALUE_H

#include "te_common.h"

/* Element `index` of those at x; of more than one byte they are aligned. */
TE_INLINE int32_t te_value(const int8_t *x, int32_t index, int32_t bytes)
{
    if (bytes == 4) {
        return ((const int32_t *)(const void *)x)[index];
    }
    return bytes == 1 ? x[index] : ((const int16_t *)(const void *)x)[index];
}

TE_INLINE void te_put(int8_t *y, int32_t index, int32_t bytes, int32_t value)
{
    if (bytes == 1) {
        y[index] = (int8_t)value;
    } else if (bytes == 2) {
        ((int16_t *)(void *)y)[index] = (int16_t)value;
    } else {
        ((int32_t *)(void *)y)[index] = value;
    }
}

#endif
