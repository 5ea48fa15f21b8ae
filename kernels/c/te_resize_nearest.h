/* An image at another size: each pixel is a copy of the nearest.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_RESIZE_NEAREST_H
#define TE_RESIZE_NEAREST_H

#include "te_copy_pixel.h"
#include "te_rows.h"

/* Of each row and column of the output, that of the input. */
typedef struct {
    const uint16_t *rows;
    const uint16_t *columns;
} te_resize_nearest_t;

TE_INLINE void te_resize_nearest(const te_resize_nearest_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, op->rows[row], op->columns[strip.from]);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_copy_pixel(te_pixel(y, column), te_pixel(x, op->columns[column]), out.pixel_bytes);
        }
    }
}

#endif
