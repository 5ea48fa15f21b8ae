/* Sum, maximum or minimum of the channels of each pixel.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REDUCE_PIXELS_H
#define TE_REDUCE_PIXELS_H

#include "te_reduce.h"
#include "te_rows.h"

typedef te_reduce_t te_reduce_pixels_t;

TE_INLINE void te_reduce_pixels(const te_reduce_pixels_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int32_t channels = in.pixel_bytes / op->bytes;
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from), y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const uint32_t acc = te_reduce_run(op, te_reduce_first(op), te_pixel(x, column), channels, 1);
            te_reduce_end(op, acc, te_pixel(y, column), 0);
        }
    }
}

#endif
