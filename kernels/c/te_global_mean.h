/* Sum or mean of all pixels, rescaled, from the parts of the image as they arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GLOBAL_MEAN_H
#define TE_GLOBAL_MEAN_H

#include "te_channel_sums.h"
#include "te_requant.h"

typedef struct {
    te_output_t output; /* one channel: its bias takes the zero points away, a mean's factor divides */
    int32_t bytes;      /* of an element: 1 or 2 */
} te_global_mean_t;

/* scratch: a sum for each channel, kept from the first part to the last */
TE_INLINE void te_global_mean(const te_global_mean_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    uint32_t *sums = (uint32_t *)scratch;
    if (te_channel_sums(in, strip, op->bytes, sums)) {
        int8_t *y = te_line_of(out, 0, 0).start;
        const te_channel c = te_channel_of(&op->output, 0);
        for (int32_t channel = 0; channel < in.pixel_bytes / op->bytes; channel++) {
            te_put(y, channel, op->bytes, te_finish(&op->output, c.bias + sums[channel], c.mantissa, c.shift));
        }
    }
}

#endif
