/* Any function of one 8-bit value, as a table.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_LUT_H
#define TE_LUT_H

#include "te_rows.h"

typedef struct {
    const uint8_t *table; /* by bit pattern */
} te_lut_t;

TE_INLINE void te_lut_run(const te_lut_t *op, const int8_t *x, int8_t *y, int32_t count)
{
    TE_UNROLL
    for (int32_t i = 0; i < count; i++) {
        y[i] = (int8_t)op->table[(uint8_t)x[i]];
    }
}

TE_INLINE void te_lut(const te_lut_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, strip) && te_is_flat(out, strip)) {
        te_lut_run(op, te_line_of(in, strip.first, 0).start, te_line_of(out, strip.first, 0).start,
                  (strip.last - strip.first) * out.row_step);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from), y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, te_piece(y, from, strip.to));
            te_lut_run(op, te_pixel(x, from), te_pixel(y, from), (to - from) * out.pixel_bytes);
        }
    }
}

#endif
