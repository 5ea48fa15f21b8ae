/* Which rows of a kernel lie inside the image.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_TAPS_H
#define TE_TAPS_H

#include "te_common.h"

/* Taps [first, last); `row` is the image row of the first of them. */
typedef struct {
    int32_t first;
    int32_t last;
    int32_t row;
} te_taps;

/* `taps` of them, every `dilation` rows from `top` on, which may lie above the image or below. */
TE_INLINE te_taps te_taps_inside(int32_t top, int32_t taps, int32_t dilation, int32_t rows)
{
    const int32_t above = te_max(dilation - 1 - top, 0) / dilation;
    const int32_t first = te_min(above, taps);
    const int32_t inside = te_max(rows - top + dilation - 1, 0) / dilation;
    const te_taps found = {
        first,
        te_max(te_min(inside, taps), first),
        te_max(te_min(top + first * dilation, rows - 1), 0),
    };
    return found;
}

#endif
