/* Sum of two tensors of one shape; the output may lie on either.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_H
#define TE_ADD_H

#include "te_rows.h"
#include "te_sum.h"

typedef struct {
    te_sum_t sum;
} te_add_t;

TE_INLINE void te_add(const te_add_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, strip) && te_is_flat(in2, strip) && te_is_flat(out, strip)) {
        te_sum_run(&op->sum, te_line_of(in, strip.first, 0).start, 1, te_line_of(in2, strip.first, 0).start, 1,
                   te_line_of(out, strip.first, 0).start, (strip.last - strip.first) * out.row_step);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line a = te_line_of(in, row, strip.from), b = te_line_of(in2, row, strip.from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(a, from, te_piece(b, from, te_piece(y, from, strip.to)));
            te_sum_run(&op->sum, te_pixel(a, from), 1, te_pixel(b, from), 1, te_pixel(y, from),
                       (to - from) * out.pixel_bytes);
        }
    }
}

#endif
