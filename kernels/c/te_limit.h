/* Clamps values between two bounds: an activation that does not rescale.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_LIMIT_H
#define TE_LIMIT_H

#include "te_rows.h"

typedef struct {
    int32_t low;
    int32_t high;
} te_limit_t;

TE_INLINE void te_limit_run(const te_limit_t *op, const int8_t *x, int8_t *y, int32_t count)
{
    TE_UNROLL
    for (int32_t i = 0; i < count; i++) {
        y[i] = (int8_t)te_clamp(x[i], op->low, op->high);
    }
}

TE_INLINE void te_limit(const te_limit_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, strip) && te_is_flat(out, strip)) {
        te_limit_run(op, te_line_of(in, strip.first, 0).start, te_line_of(out, strip.first, 0).start,
                    (strip.last - strip.first) * out.row_step);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from), y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, te_piece(y, from, strip.to));
            te_limit_run(op, te_pixel(x, from), te_pixel(y, from), (to - from) * out.pixel_bytes);
        }
    }
}

#endif
