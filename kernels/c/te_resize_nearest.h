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
    int32_t falls; /* may a column come from further left than the one before? */
} te_resize_nearest_t;

/* The first column of the input that the strip needs. */
TE_INLINE int32_t te_resize_nearest_first(const te_resize_nearest_t *op, te_strip strip)
{
    int32_t first = op->columns[strip.from];
    for (int32_t column = strip.from + 1; op->falls && column < strip.to; column++) {
        first = te_min(first, op->columns[column]);
    }
    return first;
}

TE_INLINE void te_resize_nearest(const te_resize_nearest_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int32_t first = te_resize_nearest_first(op, strip);
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, op->rows[row], first);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_copy_pixel(te_pixel(y, column), te_pixel(x, op->columns[column]), out.pixel_bytes);
        }
    }
}

#endif
