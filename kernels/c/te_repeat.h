/* An operand that may have one row, column or channel only, which then repeats over the output.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REPEAT_H
#define TE_REPEAT_H

#include "te_rows.h"

/* One row of it, as the output's columns and channels walk through it. */
typedef struct {
    te_line line;
    int32_t columns; /* 0: one pixel for all columns */
    int32_t step;    /* from channel to channel; 0: one value for all */
} te_repeat;

/* Row `row` of the output, for use from its column `column` on. */
TE_INLINE te_repeat te_repeat_of(te_rows in, te_rows out, int32_t row, int32_t column)
{
    const int32_t columns = in.columns == out.columns ? 1 : 0;
    const te_repeat repeat = {
        te_line_of(in, in.rows == out.rows ? row : 0, columns * column),
        columns,
        in.pixel_bytes == out.pixel_bytes ? 1 : 0,
    };
    return repeat;
}

TE_INLINE const int8_t *te_repeat_pixel(te_repeat repeat, int32_t column)
{
    return te_pixel(repeat.line, repeat.columns * column);
}

#endif
