/* Product of an image and a constant one, of which each may have one row, column or channel only, which then
 * repeats. The output may lie on an input of its own shape.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_MUL_CONSTANT_H
#define TE_MUL_CONSTANT_H

#include "te_product.h"
#include "te_rows.h"

/* From one row, column and channel of the constant to the next; 0 repeats. */
typedef struct {
    const int8_t *constant; /* operand b */
    int32_t row_step;
    int32_t column_step;
    int32_t step;
    te_product_t product;
} te_mul_constant_t;

TE_INLINE void te_mul_constant(const te_mul_constant_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int32_t step = in.pixel_bytes == out.pixel_bytes ? 1 : 0;
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line a = te_line_of(in, in.rows == out.rows ? row : 0, in.columns == out.columns ? strip.from : 0);
        const te_line y = te_line_of(out, row, strip.from);
        const int8_t *b = op->constant + row * op->row_step;
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_product_run(&op->product, te_pixel(a, in.columns == out.columns ? column : 0), step,
                           b + column * op->column_step, op->step, te_pixel(y, column), out.pixel_bytes);
        }
    }
}

#endif
