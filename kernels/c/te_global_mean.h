/* Mean of all pixels, rescaled, from the parts of the image as they arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GLOBAL_MEAN_H
#define TE_GLOBAL_MEAN_H

#include "te_channel_sums.h"
#include "te_requant.h"

typedef struct {
    te_output_t output; /* one channel: its bias takes the zero points away, its factor divides */
} te_global_mean_t;

/* scratch: a sum for each channel, kept from the first part to the last */
TE_INLINE void te_global_mean(const te_global_mean_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    int32_t *sums = (int32_t *)scratch;
    if (te_channel_sums(in, strip, sums)) {
        int8_t *y = te_line_of(out, 0, 0).start;
        for (int32_t channel = 0; channel < in.pixel_bytes; channel++) {
            const uint32_t sum = te_bias(&op->output, 0) + (uint32_t)sums[channel];
            y[channel] = te_finish_channel(&op->output, sum, 0);
        }
    }
}

#endif
