/* Values at equal distances along any axis, whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SLICE_ANY_H
#define TE_SLICE_ANY_H

#include "te_axes.h"
#include "te_rows.h"

typedef struct {
    int32_t first;
    te_axes_t axes; /* of operand a; there is no b */
} te_slice_any_t;

TE_INLINE void te_slice_any(const te_slice_any_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const te_axes_t *axes = &op->axes;
    const int8_t *x = (const int8_t *)in.base + op->first;
    int8_t *y = (int8_t *)out.base;
    te_place place = {{0, 0, 0, 0, 0}, 0, 0};
    (void)strip, (void)scratch;
    do {
        for (int32_t i = 0; i < axes->size[5]; i++) {
            *y++ = x[place.a + i * axes->step_a[5]];
        }
    } while (te_next_line(axes, &place));
}

#endif
