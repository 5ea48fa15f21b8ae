/* C twin of how assembly kernels turn accumulators into bytes, or int16 values.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DSP_FINISH_H
#define TE_DSP_FINISH_H

#include "te_common.h"

typedef enum {
    TE_DSP_ONCE,   /* rounded once */
    TE_DSP_TWICE,  /* rounded twice, with ties away from zero */
    TE_DSP_MIXED,  /* twice where the top bit of the channel's shift is set, else once */
    TE_DSP_ROUNDED /* once, and once more when the product is made */
} te_dsp_kind;

typedef struct {
    te_dsp_kind kind;
    int32_t before; /* bits by which an accumulator is shifted to the right before that, to the left if negative */
    int32_t shift;  /* of all channels; or -1: each has its own as a third word */
    int32_t low;
    int32_t high;
} te_dsp_requant_t;

/* The sign that decides ties, moved to the addend. */
TE_INLINE int32_t te_dsp_sign(int32_t value, const uint32_t *words, te_dsp_kind kind)
{
    if (kind == TE_DSP_MIXED) {
        value &= (int32_t)words[2];
    }
    return kind == TE_DSP_TWICE || kind == TE_DSP_MIXED ? value >> 31 : 0;
}

/* `words`: mantissa and addend of the channel, the addend with half and zero point. Bounds are proved. */
TE_INLINE int32_t te_dsp_value(uint32_t acc, const uint32_t *words, te_dsp_requant_t how)
{
    const int64_t mantissa = (int32_t)words[0], half = how.kind == TE_DSP_ONCE ? 0 : (int64_t)1 << 31;
    const int32_t addend = (int32_t)words[1], shift = how.shift < 0 ? (int32_t)(words[2] & 0xFFu) : how.shift;
    const int32_t moved = how.before < 0 ? (int32_t)(acc << -how.before) : (int32_t)acc >> how.before;
    const int32_t product = (int32_t)((moved * mantissa + half) >> 32);
    return te_clamp((addend + te_dsp_sign(moved, words, how.kind) + product) >> shift, how.low, how.high);
}

TE_INLINE int8_t te_dsp_finish(uint32_t acc, const uint32_t *words, te_dsp_requant_t how)
{
    return (int8_t)te_dsp_value(acc, words, how);
}

/* Of int16; their zero point is 0. */
TE_INLINE int16_t te_wide_finish(uint32_t acc, const uint32_t *words, te_dsp_requant_t how)
{
    return (int16_t)te_dsp_value(acc, words, how);
}

#endif
