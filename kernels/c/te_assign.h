/* State of the model, copied to its struct: the input or a part of it, in strips.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ASSIGN_H
#define TE_ASSIGN_H

#include "te_rows.h"

typedef struct {
    int32_t row_bytes; /* of the input */
    int32_t first;     /* the bytes of the input that are kept, counted without gaps */
    int32_t last;
} te_assign_t;

/* Bytes from `place` on, as far as they are kept. */
TE_INLINE void te_assign_bytes(const te_assign_t *op, const int8_t *x, int32_t place, int32_t count, int8_t *state)
{
    const int32_t from = te_max(place, op->first), to = te_min(place + count, op->last);
    if (from < to) {
        te_copy(state + (from - op->first), x + (from - place), to - from);
    }
}

TE_INLINE void te_assign(const te_assign_t *op, te_rows in, te_strip strip, void *scratch, void *state)
{
    (void)scratch;
    if (te_is_flat(in, strip)) {
        te_assign_bytes(op, te_line_of(in, strip.first, 0).start, strip.first * op->row_bytes,
                        (strip.last - strip.first) * op->row_bytes, (int8_t *)state);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, strip.to);
            te_assign_bytes(op, te_pixel(x, from), row * op->row_bytes + from * in.pixel_bytes,
                            (to - from) * in.pixel_bytes, (int8_t *)state);
        }
    }
}

#endif
