/* One value of two, for an image and a constant one, of which each may have one row, column or channel only, which
 * then repeats. The output may lie on an input of its own shape.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_CONSTANT_H
#define TE_PAIR_CONSTANT_H

#include "te_pair.h"
#include "te_repeat.h"

/* From one row, column (in bytes) and channel (in values) of the constant to the next; 0 repeats. */
typedef struct {
    const void *constant; /* operand b */
    int32_t row_step;
    int32_t column_step;
    int32_t step;
    te_pair_t pair;
} te_pair_constant_t;

TE_INLINE void te_pair_constant(const te_pair_constant_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_repeat a = te_repeat_of(in, out, row, strip.from);
        const te_line y = te_line_of(out, row, strip.from);
        const int8_t *b = (const int8_t *)op->constant + row * op->row_step;
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_pair_run(&op->pair, te_repeat_pixel(a, column), a.step, b + column * op->column_step, op->step,
                        te_pixel(y, column), out.pixel_bytes);
        }
    }
}

#endif
