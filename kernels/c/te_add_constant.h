/* Sum of a tensor and a constant that repeats every `period` values (a number, one value for each
 * channel, a whole tensor).
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_CONSTANT_H
#define TE_ADD_CONSTANT_H

#include "te_rows.h"
#include "te_sum.h"

typedef struct {
    const int8_t *constant; /* operand b */
    int32_t period;
    te_sum_t sum;
} te_add_constant_t;

/* Values from number `first` of the tensor on. */
TE_INLINE void te_add_constant_run(const te_add_constant_t *op, const int8_t *a, int8_t *y, int32_t first,
                                   int32_t count)
{
    int32_t b = first % op->period;
    for (int32_t i = 0; i < count; i++) {
        y[i] = te_sum(&op->sum, a[i], op->constant[b]);
        b = b + 1 == op->period ? 0 : b + 1;
    }
}

TE_INLINE void te_add_constant(const te_add_constant_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from), y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, te_piece(y, from, strip.to));
            te_add_constant_run(op, te_pixel(x, from), te_pixel(y, from),
                                (row * out.columns + from) * out.pixel_bytes, (to - from) * out.pixel_bytes);
        }
    }
}

#endif
