/* C twin of how assembly kernels turn accumulators into int16 outputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WIDE_FINISH_H
#define TE_WIDE_FINISH_H

#include "te_dsp_finish.h"

/* As te_dsp_finish; the outputs' zero point is 0. */
TE_INLINE int16_t te_wide_finish(uint32_t acc, const uint32_t *words, te_dsp_requant_t how)
{
    const int64_t mantissa = (int32_t)words[0], half = how.kind == TE_DSP_ONCE ? 0 : (int64_t)1 << 31;
    const int32_t addend = (int32_t)words[1], shift = how.shift < 0 ? (int32_t)(words[2] & 0xFFu) : how.shift;
    const int32_t moved = how.before < 0 ? (int32_t)(acc << -how.before) : (int32_t)acc >> how.before;
    const int32_t product = (int32_t)((moved * mantissa + half) >> 32);
    return (int16_t)te_clamp((addend + te_dsp_sign(moved, words, how.kind) + product) >> shift, how.low, how.high);
}

#endif
