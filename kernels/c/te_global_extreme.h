/* Largest or smallest of all pixels, channel by channel, from the parts of the image as they arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GLOBAL_EXTREME_H
#define TE_GLOBAL_EXTREME_H

#include "te_reduce.h"
#include "te_rows.h"

typedef te_reduce_t te_global_extreme_t;

/* scratch: a value for each channel, kept from the first part to the last */
TE_INLINE void te_global_extreme(const te_global_extreme_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    uint32_t *found = (uint32_t *)scratch;
    const int32_t channels = in.pixel_bytes / op->bytes;
    for (int32_t i = 0; i < channels && strip.first == 0 && strip.from == 0; i++) {
        found[i] = te_reduce_first(op);
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line x = te_line_of(in, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(x, from, strip.to);
            for (int32_t i = 0; i < channels; i++) {
                found[i] = te_reduce_run(op, found[i], te_pixel(x, from) + i * op->bytes, to - from, channels);
            }
        }
    }
    if (strip.last == in.rows && strip.to == in.columns) {
        int8_t *y = te_line_of(out, 0, 0).start;
        for (int32_t i = 0; i < channels; i++) {
            te_reduce_end(op, found[i], y, i);
        }
    }
}

#endif
