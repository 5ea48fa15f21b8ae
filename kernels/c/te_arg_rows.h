/* Where the extreme channel of each pixel lies; a row of the input becomes a pixel of the output.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ARG_ROWS_H
#define TE_ARG_ROWS_H

#include "te_arg.h"
#include "te_rows.h"

typedef te_arg_t te_arg_rows_t;

TE_INLINE void te_arg_rows(const te_arg_rows_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const te_line x = te_line_of(in, row * out.columns + column, 0);
            for (int32_t i = 0; i < in.columns; i++) {
                te_arg(op, te_pixel(x, i), in.pixel_bytes, 1, te_pixel(y, column), i);
            }
        }
    }
}

#endif
