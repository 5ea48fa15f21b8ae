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
    int32_t most[4] = {-128, -128, -128, -128};
    for (int32_t row = w.top; row < w.bottom; row++) {
        const int8_t *x = te_row(in, row) + w.left * op->channels + channel;
        for (int32_t column = w.left; column < w.right; column++, x += op->channels) {
            TE_UNROLL
            for (int32_t i = 0; i < lanes; i++) {
                most[i] = te_max(most[i], x[i]);
            }
        }
    }
    TE_UNROLL
    for (int32_t i = 0; i < lanes; i++) {
        y[channel + i] = (int8_t)te_clamp(most[i], op->low, op->high);
    }
}

TE_INLINE void te_max_pool(const te_max_pool_t *op, te_rows in, te_rows out, int32_t first, int32_t last,
                           void *scratch)
{
    const int32_t whole = op->channels - op->channels % 4;
    (void)scratch;
    for (int32_t row = first; row < last; row++) {
        int8_t *y = te_row(out, row);
        for (int32_t column = 0; column < op->out_cols; column++, y += op->channels) {
            const te_pool_window w = te_pool_at(op, in, row, column);
            for (int32_t channel = 0; channel < whole; channel += 4) {
                te_max_pool_lanes(op, in, w, channel, 4, y);
            }
            for (int32_t channel = whole; channel < op->channels; channel++) {
                te_max_pool_lanes(op, in, w, channel, 1, y);
            }
        }
    }
}

#endif
