/* One value made of two, for all operators whose operands broadcast, and two tensors of one shape walked with it; the
 * output may lie on either.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_H
#define TE_PAIR_H

#include "te_requant.h"
#include "te_rows.h"
#include "te_value.h"

typedef enum {
    TE_PAIR_LINEAR, /* (a.weight * a + b.weight * b + offset) >> shift, proved for every pair of bytes */
    TE_PAIR_SUM,
    TE_PAIR_DIFFERENCE,
    TE_PAIR_SQUARED_DIFFERENCE,
    TE_PAIR_PRODUCT,
    TE_PAIR_PRELU,
    TE_PAIR_MAXIMUM,
    TE_PAIR_MINIMUM,
    TE_PAIR_EQUAL,
    TE_PAIR_NOT_EQUAL,
    TE_PAIR_GREATER,
    TE_PAIR_GREATER_EQUAL,
    TE_PAIR_LESS,
    TE_PAIR_LESS_EQUAL
} te_pair_kind;

typedef struct {
    int32_t zero;
    int32_t mantissa; /* to the scale that both operands share; of PRELU: from positive values to the output */
    int32_t shift;
    int32_t weight;
} te_operand_t;

typedef struct {
    te_pair_kind kind;
    int32_t bytes;   /* of a value: 1 or 2 */
    int32_t swapped; /* do the kernel's operands come in the other order? */
    int32_t left;    /* spare bits of the scale that both operands share */
    te_operand_t a;
    te_operand_t b;
    int32_t offset;
    int32_t mantissa; /* to the output */
    int32_t shift;
    te_output_t output; /* without channels */
} te_pair_t;

/* An operand in the scale that both share. */
TE_INLINE int32_t te_pair_scale(const te_pair_t *op, const te_operand_t *operand, int32_t value)
{
    const uint32_t wide = (uint32_t)(value - operand->zero) << op->left;
    if (op->output.rounding == TE_SINGLE || op->output.rounding == TE_SINGLE_RIGHT) {
        return te_rescale_single(wide, operand->mantissa, operand->shift);
    }
    return te_rescale(wide, operand->mantissa, operand->shift);
}

TE_INLINE int te_pair_compare(te_pair_kind kind, int32_t a, int32_t b)
{
    switch (kind) {
    case TE_PAIR_EQUAL:
        return a == b;
    case TE_PAIR_NOT_EQUAL:
        return a != b;
    case TE_PAIR_GREATER:
        return a > b;
    case TE_PAIR_GREATER_EQUAL:
        return a >= b;
    case TE_PAIR_LESS:
        return a < b;
    default:
        return a <= b;
    }
}

/* Of those that have a common scale. */
TE_INLINE int32_t te_pair_scaled(const te_pair_t *op, int32_t a, int32_t b)
{
    const uint32_t sum = op->kind == TE_PAIR_SUM ? (uint32_t)a + (uint32_t)b : (uint32_t)a - (uint32_t)b;
    if (op->kind >= TE_PAIR_EQUAL) {
        return te_pair_compare(op->kind, a, b);
    }
    return te_finish(&op->output, op->kind == TE_PAIR_SQUARED_DIFFERENCE ? sum * sum : sum, op->mantissa, op->shift);
}

TE_INLINE int32_t te_pair_product(const te_pair_t *op, int32_t a, int32_t b)
{
    const int32_t value = a - op->a.zero;
    if (op->kind == TE_PAIR_PRELU && value >= 0) {
        return te_finish(&op->output, (uint32_t)value, op->a.mantissa, op->a.shift);
    }
    const uint32_t product = (uint32_t)value * (uint32_t)(b - op->b.zero);
    if (op->bytes == 2 && (op->output.rounding == TE_DOUBLE || op->output.rounding == TE_DOUBLE_RIGHT)) {
        /* May be 2^30, which is more than te_finish takes at once; int16 has zero point 0. */
        return te_clamp(te_rescale(product, op->mantissa, op->shift), op->output.low, op->output.high);
    }
    return te_finish(&op->output, product, op->mantissa, op->shift);
}

TE_INLINE int32_t te_pair_value(const te_pair_t *op, int32_t a, int32_t b)
{
    switch (op->kind) {
    case TE_PAIR_LINEAR:
        return te_clamp((op->a.weight * a + op->b.weight * b + op->offset) >> op->shift, op->output.low,
                        op->output.high);
    case TE_PAIR_MAXIMUM:
        return te_clamp(te_max(a, b), op->output.low, op->output.high);
    case TE_PAIR_MINIMUM:
        return te_clamp(te_min(a, b), op->output.low, op->output.high);
    case TE_PAIR_PRODUCT:
    case TE_PAIR_PRELU:
        return te_pair_product(op, a, b);
    default:
        return te_pair_scaled(op, te_pair_scale(op, &op->a, a), te_pair_scale(op, &op->b, b));
    }
}

/* Operands as a loop reads them: a step of 0 repeats the first value. */
typedef struct {
    const int8_t *a;
    const int8_t *b;
    int32_t step_a;
    int32_t step_b;
    int32_t one_a;
    int32_t one_b;
} te_pair_operands;

TE_INLINE int32_t te_pair_of(const te_pair_t *op, const te_pair_operands *x, int32_t i)
{
    const int32_t a = x->step_a == 0 ? x->one_a : te_value(x->a, i * x->step_a, op->bytes);
    const int32_t b = x->step_b == 0 ? x->one_b : te_value(x->b, i * x->step_b, op->bytes);
    return op->swapped ? te_pair_value(op, b, a) : te_pair_value(op, a, b);
}

/* So many bytes of the output, which may lie on an operand whose step is 1. */
TE_INLINE void te_pair_run(const te_pair_t *op, const int8_t *a, int32_t step_a, const int8_t *b, int32_t step_b,
                           int8_t *y, int32_t bytes)
{
    const te_pair_operands x = {a, b, step_a, step_b, te_value(a, 0, op->bytes), te_value(b, 0, op->bytes)};
    const int32_t count = bytes / op->bytes;
    if (op->kind == TE_PAIR_LINEAR || op->kind == TE_PAIR_MAXIMUM || op->kind == TE_PAIR_MINIMUM) {
        TE_UNROLL
        for (int32_t i = 0; i < count; i++) {
            te_put(y, i, op->bytes, te_pair_of(op, &x, i));
        }
        return;
    }
    for (int32_t i = 0; i < count; i++) {
        te_put(y, i, op->bytes, te_pair_of(op, &x, i));
    }
}

TE_INLINE void te_pair(const te_pair_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, strip) && te_is_flat(in2, strip) && te_is_flat(out, strip)) {
        te_pair_run(op, te_line_of(in, strip.first, 0).start, 1, te_line_of(in2, strip.first, 0).start, 1,
                    te_line_of(out, strip.first, 0).start, (strip.last - strip.first) * out.row_step);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line a = te_line_of(in, row, strip.from), b = te_line_of(in2, row, strip.from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(a, from, te_piece(b, from, te_piece(y, from, strip.to)));
            te_pair_run(op, te_pixel(a, from), 1, te_pixel(b, from), 1, te_pixel(y, from),
                        (to - from) * out.pixel_bytes);
        }
    }
}

#endif
