/* Maximum over a sliding window; only pixels inside the image count.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_MAX_POOL_H
#define TE_MAX_POOL_H

#include "te_pool.h"

typedef te_pool_t te_max_pool_t;

/* `lanes` channels (up to 4) of one output pixel. */
TE_INLINE void te_max_pool_lanes(const te_pool_t *op, te_rows in, te_pool_window w, int32_t channel, int32_t lanes,
                                 int8_t *y)
{
    int32_t most[4] = {INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN};
    te_line line = w.line;
    for (int32_t row = w.top; row < w.bottom; row++, line = te_line_after(in, line, 1)) {
        for (int32_t column = w.left; column < w.right; column++) {
            const int8_t *x = te_pixel(line, column) + channel * op->kind.bytes;
            TE_UNROLL
            for (int32_t i = 0; i < lanes; i++) {
                most[i] = te_max(most[i], te_value(x, i, op->kind.bytes));
            }
        }
    }
    TE_UNROLL
    for (int32_t i = 0; i < lanes; i++) {
        te_put(y, channel + i, op->kind.bytes, te_clamp(most[i], op->low, op->high));
    }
}

TE_INLINE void te_max_pool_pixel(const te_pool_t *op, te_rows in, te_pool_window w, int8_t *y)
{
    const int32_t whole = op->channels - op->channels % 4;
    for (int32_t channel = 0; channel < whole; channel += 4) {
        te_max_pool_lanes(op, in, w, channel, 4, y);
    }
    if (whole < op->channels) {
        te_max_pool_lanes(op, in, w, whole, op->channels - whole, y);
    }
}

TE_INLINE void te_max_pool(const te_max_pool_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line y = te_line_of(out, row, strip.from);
        te_pool_window w = te_pool_rows(op, in, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_pool_columns(op, &w, column);
            te_max_pool_pixel(op, in, w, te_pixel(y, column));
        }
    }
}

#endif
