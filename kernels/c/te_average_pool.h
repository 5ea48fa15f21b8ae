/* Mean over a sliding window, ties away from zero; only pixels inside the image count.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_AVERAGE_POOL_H
#define TE_AVERAGE_POOL_H

#include "te_pool.h"

typedef te_pool_t te_average_pool_t;

/* A number of pixels, and 2^32 / pixels rounded up (0 if that can't replace a division). */
typedef struct {
    uint32_t pixels;
    uint32_t inverse;
} te_divisor;

/* One division per pixel. Multiplying by the inverse is exact up to 5000, because |sum| <= 128 * pixels. */
TE_INLINE te_divisor te_average_divisor(te_pool_window w)
{
    const uint32_t pixels = (uint32_t)((w.bottom - w.top) * (w.right - w.left));
    const te_divisor d = {pixels, pixels <= 1 || pixels > 5000 ? 0 : 0xffffffffu / pixels + 1};
    return d;
}

/* sum / pixels, ties away from zero. */
TE_INLINE int32_t te_average(int32_t sum, te_divisor d)
{
    const uint32_t nearest = (uint32_t)(sum < 0 ? -sum : sum) + d.pixels / 2;
    const uint32_t size = d.inverse == 0 ? nearest / d.pixels : (uint32_t)((uint64_t)nearest * d.inverse >> 32);
    return sum < 0 ? -(int32_t)size : (int32_t)size;
}

/* `lanes` channels (up to 4) of one output pixel. */
TE_INLINE void te_average_pool_lanes(const te_pool_t *op, te_rows in, te_pool_window w, te_divisor d,
                                     int32_t channel, int32_t lanes, int8_t *y)
{
    int32_t sum[4] = {0, 0, 0, 0};
    for (int32_t row = w.top; row < w.bottom; row++) {
        const int8_t *x = te_row(in, row) + w.left * op->channels + channel;
        for (int32_t column = w.left; column < w.right; column++, x += op->channels) {
            TE_UNROLL
            for (int32_t i = 0; i < lanes; i++) {
                sum[i] += x[i];
            }
        }
    }
    TE_UNROLL
    for (int32_t i = 0; i < lanes; i++) {
        y[channel + i] = (int8_t)te_clamp(te_average(sum[i], d), op->low, op->high);
    }
}

TE_INLINE void te_average_pool(const te_average_pool_t *op, te_rows in, te_rows out, int32_t first, int32_t last,
                               void *scratch)
{
    const int32_t whole = op->channels - op->channels % 4;
    (void)scratch;
    for (int32_t row = first; row < last; row++) {
        int8_t *y = te_row(out, row);
        for (int32_t column = 0; column < op->out_cols; column++, y += op->channels) {
            const te_pool_window w = te_pool_at(op, in, row, column);
            const te_divisor d = te_average_divisor(w);
            for (int32_t channel = 0; channel < whole; channel += 4) {
                te_average_pool_lanes(op, in, w, d, channel, 4, y);
            }
            for (int32_t channel = whole; channel < op->channels; channel++) {
                te_average_pool_lanes(op, in, w, d, channel, 1, y);
            }
        }
    }
}

#endif
