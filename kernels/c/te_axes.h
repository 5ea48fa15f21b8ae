/* Walking through two operands of up to six axes, of which each may repeat along any.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_AXES_H
#define TE_AXES_H

#include "te_common.h"

/* Axes of the output, outermost first; a step of 0 repeats. */
typedef struct {
    int32_t size[6];
    int32_t step_a[6];
    int32_t step_b[6];
} te_axes_t;

/* Where in both operands the current line is, a line being the last axis. */
typedef struct {
    int32_t index[5];
    int32_t a;
    int32_t b;
} te_place;

/* Counts on, like the digits of a number; 0 after the last line. */
TE_INLINE int te_next_line(const te_axes_t *axes, te_place *place)
{
    for (int32_t axis = 4; axis >= 0; axis--) {
        place->a += axes->step_a[axis];
        place->b += axes->step_b[axis];
        if (++place->index[axis] < axes->size[axis]) {
            return 1;
        }
        place->a -= axes->size[axis] * axes->step_a[axis];
        place->b -= axes->size[axis] * axes->step_b[axis];
        place->index[axis] = 0;
    }
    return 0;
}

#endif
