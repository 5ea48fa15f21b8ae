/* Mean or sum of all pixels of an image, whole, channel by channel.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POOL_WHOLE_H
#define TE_POOL_WHOLE_H

#include "te_dsp_finish.h"
#include "te_rows.h"

typedef struct {
    void (*mean)(const int8_t *x, int8_t *y, const int32_t *constants);
    const int32_t *constants; /* bias, factor and addend of all channels */
} te_pool_whole_t;

TE_INLINE void te_pool_whole(const te_pool_whole_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)strip, (void)scratch;
    op->mean(te_line_of(in, 0, 0).start, te_line_of(out, 0, 0).start, op->constants);
}

/* C twin of the assembly. */
TE_INLINE void te_pool_whole_twin(const int8_t *x, int8_t *y, const int32_t *constants, int32_t channels,
                                  int32_t pixels, int32_t kind, int32_t before, int32_t shift, int32_t low,
                                  int32_t high)
{
    const te_dsp_requant_t how = {(te_dsp_kind)kind, before, shift, low, high};
    const uint32_t words[2] = {(uint32_t)constants[1], (uint32_t)constants[2]};
    for (int32_t channel = 0; channel < channels; channel++) {
        int32_t sum = constants[0];
        for (int32_t pixel = 0; pixel < pixels; pixel++) {
            sum += x[pixel * channels + channel];
        }
        y[channel] = te_dsp_finish((uint32_t)sum, words, how);
    }
}

#endif
