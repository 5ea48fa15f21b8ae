/* A function of int16 from 513 points, with straight lines between them.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POINTS_H
#define TE_POINTS_H

#include "te_common.h"

TE_INLINE int32_t te_point(const int16_t *points, int32_t value)
{
    const int16_t *at = points + 256 + (value >> 7);
    return at[0] + (((at[1] - at[0]) * (value & 127) + 64) >> 7);
}

#endif
