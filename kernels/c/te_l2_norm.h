/* Vectors along the last axis, divided by their length.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_L2_NORM_H
#define TE_L2_NORM_H

#include "te_inverse_root.h"
#include "te_rows.h"

typedef struct {
    int32_t zero;   /* zero point of the input */
    int32_t groups; /* vectors per pixel */
    int32_t depth;  /* values in each */
} te_l2_norm_t;

TE_INLINE void te_l2_norm_group(const te_l2_norm_t *op, const int8_t *x, int8_t *y)
{
    uint32_t total = 0;
    for (int32_t i = 0; i < op->depth; i++) {
        total = te_mac(total, x[i] - op->zero, x[i] - op->zero);
    }
    const te_root root = te_inverse_root(total);
    for (int32_t i = 0; i < op->depth; i++) {
        const int32_t value = te_rescale((uint32_t)(x[i] - op->zero), root.mantissa, root.shift + 7);
        y[i] = (int8_t)te_clamp(value, -128, 127);
    }
}

TE_INLINE void te_l2_norm(const te_l2_norm_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line from = te_line_of(in, row, strip.from), to = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            for (int32_t group = 0; group < op->groups; group++) {
                te_l2_norm_group(op, te_pixel(from, column) + group * op->depth,
                                 te_pixel(to, column) + group * op->depth);
            }
        }
    }
}

#endif
