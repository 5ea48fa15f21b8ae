/* Values of an image grouped anew, row by row: blocks of pixels as channels and back, channels shuffled, repeated.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REGROUP_H
#define TE_REGROUP_H

#include "te_copy_pixel.h"
#include "te_rows.h"

typedef struct {
    int32_t count;
    int32_t step;
} te_axis;

/* Rows of the output in groups of row_parts.count: each group begins `row_step` rows of the input below the one
 * before, each row in it row_parts.step bytes further inside the pixels. The same for columns. One pixel of the
 * output is put together from `down` rows, of each `across` columns, of each two axes of pieces. */
typedef struct {
    int32_t row; /* where the first value lies */
    int32_t column;
    int32_t channel; /* in bytes */
    int32_t row_step;
    te_axis row_parts;
    int32_t column_step;
    te_axis column_parts;
    te_axis down;
    te_axis across;
    te_axis outer; /* steps in bytes */
    te_axis inner;
    int32_t piece; /* bytes */
} te_regroup_t;

/* What one pixel of the input gives to one of the output. */
TE_INLINE int8_t *te_regroup_pixel(const te_regroup_t *op, const int8_t *x, int8_t *y)
{
    for (int32_t i = 0; i < op->outer.count; i++) {
        for (int32_t j = 0; j < op->inner.count; j++) {
            te_copy_pixel(y, x + i * op->outer.step + j * op->inner.step, op->piece);
            y += op->piece;
        }
    }
    return y;
}

/* What one row of the input, x, gives to columns [from, to) of one of the output: bytes from `inside` on of its
 * pixels, from `place` on. */
TE_INLINE void te_regroup_row(const te_regroup_t *op, te_line x, int32_t inside, te_line y, te_strip strip,
                              int32_t place)
{
    int32_t part = strip.from % op->column_parts.count;
    int32_t column = op->column + strip.from / op->column_parts.count * op->column_step;
    for (int32_t c = strip.from; c < strip.to; c++) {
        const int32_t byte = inside + part * op->column_parts.step;
        int8_t *to = te_pixel(y, c) + place;
        for (int32_t i = 0; i < op->across.count; i++) {
            to = te_regroup_pixel(op, te_pixel(x, column + i * op->across.step) + byte, to);
        }
        if (++part == op->column_parts.count) {
            part = 0;
            column += op->column_step;
        }
    }
}

TE_INLINE void te_regroup(const te_regroup_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int32_t first = op->column + strip.from / op->column_parts.count * op->column_step;
    const int32_t bytes = op->across.count * op->outer.count * op->inner.count * op->piece;
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const int32_t group = op->row + row / op->row_parts.count * op->row_step;
        const int32_t inside = op->channel + row % op->row_parts.count * op->row_parts.step;
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t i = 0; i < op->down.count; i++) {
            te_regroup_row(op, te_line_of(in, group + i * op->down.step, first), inside, y, strip, i * bytes);
        }
    }
}

#endif
