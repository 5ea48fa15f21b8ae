/* Product of two tensors of one shape; the output may lie on either.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_MUL_H
#define TE_MUL_H

#include "te_product.h"
#include "te_rows.h"

typedef struct {
    te_product_t product;
} te_mul_t;

TE_INLINE void te_mul(const te_mul_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, strip) && te_is_flat(in2, strip) && te_is_flat(out, strip)) {
        te_product_run(&op->product, te_line_of(in, strip.first, 0).start, 1, te_line_of(in2, strip.first, 0).start, 1,
                       te_line_of(out, strip.first, 0).start, (strip.last - strip.first) * out.row_step);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line a = te_line_of(in, row, strip.from), b = te_line_of(in2, row, strip.from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(a, from, te_piece(b, from, te_piece(y, from, strip.to)));
            te_product_run(&op->product, te_pixel(a, from), 1, te_pixel(b, from), 1, te_pixel(y, from),
                           (to - from) * out.pixel_bytes);
        }
    }
}

#endif
