/* Average pool over the whole image, from its parts as they arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GLOBAL_AVERAGE_H
#define TE_GLOBAL_AVERAGE_H

#include "te_average.h"
#include "te_channel_sums.h"

typedef struct {
    te_average_t kind;
    int32_t low; /* fused activation */
    int32_t high;
} te_global_average_t;

/* scratch: a sum for each channel, kept from the first part to the last */
TE_INLINE void te_global_average(const te_global_average_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    uint32_t *sums = (uint32_t *)scratch;
    if (te_channel_sums(in, strip, op->kind.bytes, sums)) {
        const uint32_t pixels = (uint32_t)(in.rows * in.columns);
        const te_divisor d = te_average_divisor(op->kind, pixels, pixels);
        int8_t *y = te_line_of(out, 0, 0).start;
        for (int32_t channel = 0; channel < in.pixel_bytes / op->kind.bytes; channel++) {
            const int32_t mean = te_average(op->kind, (int32_t)sums[channel], d);
            te_put(y, channel, op->kind.bytes, te_clamp(mean, op->low, op->high));
        }
    }
}

#endif
