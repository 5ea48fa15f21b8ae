/* Integers of one quantisation and size to another: those below the zero point by a factor of their own, or as their
 * magnitudes. The output may lie on an input of its own size.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SCALE_H
#define TE_SCALE_H

#include "te_requant.h"
#include "te_rows.h"
#include "te_value.h"

typedef struct {
    int32_t mantissa;
    int32_t shift;
} te_scale_factor;

typedef struct {
    int32_t in_bytes; /* of a value: 1, 2 or 4 */
    int32_t out_bytes;
    int32_t in_zero;
    int32_t magnitudes; /* leave out all signs? */
    te_scale_factor positive;
    te_scale_factor negative;
    te_output_t output; /* without channels */
} te_scale_t;

TE_INLINE int32_t te_scale_value(const te_scale_t *op, int32_t x)
{
    const uint32_t value = (uint32_t)x - (uint32_t)op->in_zero;
    const int below = (int32_t)value < 0;
    if (op->magnitudes) {
        return te_finish(&op->output, below ? 0u - value : value, op->positive.mantissa, op->positive.shift);
    }
    if (op->positive.mantissa != op->negative.mantissa || op->positive.shift != op->negative.shift) {
        return below ? te_finish(&op->output, value, op->negative.mantissa, op->negative.shift)
                     : te_finish(&op->output, value, op->positive.mantissa, op->positive.shift);
    }
    return te_finish(&op->output, value, op->positive.mantissa, op->positive.shift);
}

TE_INLINE void te_scale_run(const te_scale_t *op, const int8_t *x, int8_t *y, int32_t bytes)
{
    for (int32_t i = 0; i < bytes / op->out_bytes; i++) {
        te_put(y, i, op->out_bytes, te_scale_value(op, te_value(x, i, op->in_bytes)));
    }
}

TE_INLINE void te_scale(const te_scale_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from), y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, te_piece(y, from, strip.to));
            te_scale_run(op, te_pixel(x, from), te_pixel(y, from), (to - from) * out.pixel_bytes);
        }
    }
}

#endif
