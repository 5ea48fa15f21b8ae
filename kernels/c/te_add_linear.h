/* Sum of two tensors of one shape as (weight_a * a + weight_b * b + offset) >> shift: the compiler of the
 * model proved the result for every pair of bytes. The output may lie on either input.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ADD_LINEAR_H
#define TE_ADD_LINEAR_H

#include "te_rows.h"

typedef struct {
    int32_t weight_a;
    int32_t weight_b;
    int32_t offset;
    int32_t shift;
    int32_t low; /* fused activation */
    int32_t high;
} te_add_linear_t;

TE_INLINE void te_add_linear_run(const te_add_linear_t *op, const int8_t *a, const int8_t *b, int8_t *y, int32_t count)
{
    TE_UNROLL
    for (int32_t i = 0; i < count; i++) {
        const int32_t sum = op->weight_a * a[i] + op->weight_b * b[i] + op->offset;
        y[i] = (int8_t)te_clamp(sum >> op->shift, op->low, op->high);
    }
}

TE_INLINE void te_add_linear(const te_add_linear_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip,
                             void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, strip) && te_is_flat(in2, strip) && te_is_flat(out, strip)) {
        te_add_linear_run(op, te_line_of(in, strip.first, 0).start, te_line_of(in2, strip.first, 0).start,
                          te_line_of(out, strip.first, 0).start, (strip.last - strip.first) * out.row_step);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line a = te_line_of(in, row, strip.from), b = te_line_of(in2, row, strip.from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(a, from, te_piece(b, from, te_piece(y, from, strip.to)));
            te_add_linear_run(op, te_pixel(a, from), te_pixel(b, from), te_pixel(y, from), (to - from) * out.pixel_bytes);
        }
    }
}

#endif
