/* Values of one image or of another, as a third tells; each may be constant, and each may have one row, column or
 * channel only, which then repeats.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SELECT_H
#define TE_SELECT_H

#include "te_repeat.h"
#include "te_value.h"

typedef struct {
    const void *constant;
    int32_t source; /* number of the input, if it is not constant */
    int32_t rows;
    int32_t columns;
    int32_t channels;
    int32_t bytes; /* of a value: 1 or 2 */
} te_select_operand;

typedef struct {
    te_select_operand condition;
    te_select_operand yes;
    te_select_operand no;
} te_select_t;

TE_INLINE te_rows te_select_image(const te_select_operand *operand, const te_rows *in)
{
    const int32_t pixel_bytes = operand->channels * operand->bytes;
    const te_rows image = {
        (uint8_t *)(uintptr_t)operand->constant, /* only read */
        operand->rows,
        operand->columns,
        pixel_bytes,
        operand->columns * pixel_bytes,
        0,
        0,
        0,
    };
    return operand->constant == NULL ? in[operand->source] : image;
}

TE_INLINE int32_t te_select_value(const te_select_operand *operand, const int8_t *pixel, int32_t channel)
{
    return te_value(pixel, operand->channels == 1 ? 0 : channel, operand->bytes);
}

TE_INLINE void te_select_pixel(const te_select_t *op, const int8_t *condition, const int8_t *yes, const int8_t *no,
                               int8_t *y, int32_t bytes)
{
    for (int32_t i = 0; i < bytes / op->yes.bytes; i++) {
        te_put(y, i, op->yes.bytes,
               te_select_value(&op->condition, condition, i) ? te_select_value(&op->yes, yes, i)
                                                             : te_select_value(&op->no, no, i));
    }
}

TE_INLINE void te_select(const te_select_t *op, const te_rows *in, int32_t count, te_rows out, te_strip strip,
                         void *scratch)
{
    const te_rows condition = te_select_image(&op->condition, in);
    const te_rows yes = te_select_image(&op->yes, in), no = te_select_image(&op->no, in);
    (void)count, (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_repeat c = te_repeat_of(condition, out, row, strip.from);
        const te_repeat a = te_repeat_of(yes, out, row, strip.from), b = te_repeat_of(no, out, row, strip.from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_select_pixel(op, te_repeat_pixel(c, column), te_repeat_pixel(a, column), te_repeat_pixel(b, column),
                            te_pixel(y, column), out.pixel_bytes);
        }
    }
}

#endif
