/* State of the model or a part of it, copied from its struct to where operators read it.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_READ_H
#define TE_READ_H

#include "te_rows.h"

typedef struct {
    int32_t first; /* the byte of the state that comes first */
    int32_t row_bytes;
} te_read_t;

/* state: without gaps */
TE_INLINE void te_read(const te_read_t *op, te_rows out, te_strip strip, void *scratch, const void *state)
{
    const int8_t *x = (const int8_t *)state + op->first + strip.first * op->row_bytes +
                      strip.from * out.pixel_bytes;
    (void)scratch;
    if (te_is_flat(out, strip)) {
        te_copy(te_line_of(out, strip.first, 0).start, x, (strip.last - strip.first) * op->row_bytes);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++, x += op->row_bytes) {
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(y, from, strip.to);
            te_copy(te_pixel(y, from), x + (from - strip.from) * out.pixel_bytes, (to - from) * out.pixel_bytes);
        }
    }
}

#endif
