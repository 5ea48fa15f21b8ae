/* One value of two bytes, for two images of which each may have one row, column or channel only, which then repeats.
 * The output may lie on an operand of its own shape.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_WORDS_IMAGE_H
#define TE_PAIR_WORDS_IMAGE_H

#include "te_pair_words.h"
#include "te_repeat.h"

typedef struct {
    int32_t repeats; /* of the only column of an operand with all channels; or 1 */
    te_pair_words_t pair;
} te_pair_words_image_t;

/* Columns of a row that one call computes, from column `from` on: the one behind them. */
TE_INLINE int32_t te_pair_words_stop(const te_pair_words_image_t *op, te_repeat a, te_repeat b, te_line y,
                                     int32_t from, int32_t to)
{
    if (op->repeats > 1) {
        return te_piece(a.columns ? a.line : b.line, from, te_piece(y, from, te_min(to, from + op->repeats)));
    }
    if (a.columns && b.columns && a.step && b.step) {
        return te_piece(a.line, from, te_piece(b.line, from, te_piece(y, from, to)));
    }
    return from + 1;
}

/* Columns [from, to) of one row; what is one value for all channels is the routine's second operand. */
TE_INLINE void te_pair_words_row(const te_pair_words_image_t *op, te_repeat a, te_repeat b, te_line y, int32_t from,
                                 int32_t to, const int8_t *copies)
{
    const int copied = op->repeats > 1;
    for (int32_t stop; from < to; from = stop) {
        const int8_t *first = copied && !a.columns ? copies : te_repeat_pixel(a, from);
        const int8_t *second = copied && a.columns ? copies : te_repeat_pixel(b, from);
        stop = te_pair_words_stop(op, a, b, y, from, to);
        op->pair.run(a.step ? first : second, a.step ? second : first, te_pixel(y, from),
                     (stop - from) * y.pixel_bytes, op->pair.constants);
    }
}

/* scratch: so many copies of a pixel */
TE_INLINE void te_pair_words_image(const te_pair_words_image_t *op, te_rows in, te_rows in2, te_rows out,
                                   te_strip strip, void *scratch)
{
    const int32_t column_rows = in.columns == out.columns ? in2.rows : in.rows;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_repeat a = te_repeat_of(in, out, row, strip.from), b = te_repeat_of(in2, out, row, strip.from);
        const int32_t copies = row == strip.first || column_rows == out.rows ? op->repeats : 0;
        for (int32_t i = 0; i < copies && op->repeats > 1; i++) {
            const int8_t *pixel = te_repeat_pixel(a.columns ? b : a, strip.from);
            te_copy((int8_t *)scratch + i * out.pixel_bytes, pixel, out.pixel_bytes);
        }
        te_pair_words_row(op, a, b, te_line_of(out, row, strip.from), strip.from, strip.to, (const int8_t *)scratch);
    }
}

#endif
