/* One value of two bytes, for an image and a constant one, of which each may have one row, column or channel only,
 * which then repeats. The output may lie on an input of its own shape.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_WORDS_CONSTANT_H
#define TE_PAIR_WORDS_CONSTANT_H

#include "te_pair_words.h"
#include "te_repeat.h"

/* From one row and column of the constant to the next, in bytes; 0 repeats. */
typedef struct {
    const int8_t *constant; /* operand b */
    int32_t row_step;
    int32_t column_step;
    int32_t repeats; /* copies of its only column, one behind the other */
    te_pair_words_t pair;
} te_pair_words_constant_t;

/* Columns [from, to) of one row; what is one value for all channels is the routine's second operand. */
TE_INLINE void te_pair_words_constant_row(const te_pair_words_constant_t *op, te_repeat a, const int8_t *b, te_line y,
                                          int32_t from, int32_t to)
{
    const int across = a.columns && a.step && op->column_step == y.pixel_bytes;
    for (int32_t stop; from < to; from = stop) {
        const int8_t *first = te_repeat_pixel(a, from), *second = b + from * op->column_step;
        stop = across ? to : te_min(to, from + op->repeats);
        stop = te_piece(a.line, from, te_piece(y, from, stop));
        op->pair.run(a.step ? first : second, a.step ? second : first, te_pixel(y, from),
                     (stop - from) * y.pixel_bytes, op->pair.constants);
    }
}

TE_INLINE void te_pair_words_constant(const te_pair_words_constant_t *op, te_rows in, te_rows out, te_strip strip,
                                      void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        te_pair_words_constant_row(op, te_repeat_of(in, out, row, strip.from), op->constant + row * op->row_step,
                                   te_line_of(out, row, strip.from), strip.from, strip.to);
    }
}

#endif
