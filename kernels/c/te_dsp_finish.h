/* C twin of how assembly kernels turn accumulators into bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DSP_FINISH_H
#define TE_DSP_FINISH_H

#include "te_common.h"

typedef struct {
    int32_t twice;  /* rounded twice, with ties away from zero, else once */
    int32_t before; /* bits that are taken off an accumulator before that */
    int32_t shift;  /* of all channels; or -1: each has its own as a third word */
    int32_t low;
    int32_t high;
} te_dsp_requant_t;

/* `words`: mantissa and addend of the channel, the addend with half and zero point. Bounds are proved. */
TE_INLINE int8_t te_dsp_finish(uint32_t acc, const uint32_t *words, te_dsp_requant_t how)
{
    const int64_t mantissa = (int32_t)words[0];
    const int32_t addend = (int32_t)words[1], shift = how.shift < 0 ? (int32_t)words[2] : how.shift;
    int32_t value = (int32_t)acc;
    if (how.twice) {
        value >>= how.before;
        value = addend + (value >> 31) + (int32_t)((value * mantissa + ((int64_t)1 << 31)) >> 32);
    } else {
        value = addend + (int32_t)(value * mantissa >> 32);
    }
    return (int8_t)te_clamp(value >> shift, how.low, how.high);
}

#endif
