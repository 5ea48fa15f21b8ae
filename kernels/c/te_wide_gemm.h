/* Matrix products on int16 inputs, in the blocks of te_gemm.h: C twin of the assembly.
 *
 * For every two inputs 16 bytes of operands: their words of four pixels, aligned to 8.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WIDE_GEMM_H
#define TE_WIDE_GEMM_H

#include "te_dsp_finish.h"
#include "te_halves.h"

typedef struct {
    int32_t bytes; /* are the weights of two channels bytes of the same words? */
    int32_t channels;
    int32_t pairs;
    te_dsp_requant_t requant;
} te_wide_block_t;

/* Weights of two inputs. */
TE_INLINE uint32_t te_wide_weights(te_wide_block_t op, const uint32_t *words, int32_t pair, int32_t channel)
{
    if (op.bytes && op.channels > 1) {
        return te_sxtb16(channel == 0 ? words[pair] : words[pair] >> 8 | words[pair] << 24);
    }
    return words[pair * op.channels + channel];
}

TE_INLINE int16_t te_wide_output(te_wide_block_t op, const uint32_t *stream, const int32_t *operands, int32_t channel)
{
    const uint32_t *words = stream + op.channels;
    const uint32_t *finish = words + op.pairs * (op.bytes ? 1 : op.channels);
    uint32_t acc = stream[channel];
    for (int32_t pair = 0; pair < op.pairs; pair++) {
        acc = te_smlad(te_wide_weights(op, words, pair, channel), (uint32_t)operands[4 * pair], acc);
    }
    return te_wide_finish(acc, finish + channel * (op.requant.shift < 0 ? 3 : 2), op.requant);
}

TE_INLINE void te_wide_gemm_twin(const int32_t *operands, const uint32_t *stream, int8_t *y,
                                 const uint32_t *stream_end, int32_t bytes, int32_t channels, int32_t pixels,
                                 int32_t pairs, int32_t pitch, te_dsp_kind kind, int32_t before, int32_t shift,
                                 int32_t low, int32_t high)
{
    if (pairs == 0) { /* shared: its shape is in front of the stream */
        pairs = (int32_t)stream[0] / 16;
        pitch = (int32_t)stream[1];
        stream += 2;
    }
    const te_wide_block_t op = {bytes, channels, pairs, {kind, before, shift, low, high}};
    const int32_t pass_words = channels * (1 + (shift < 0 ? 3 : 2)) + pairs * (bytes ? 1 : channels);
    for (; stream != stream_end; stream += pass_words, y += 2 * channels) {
        for (int32_t channel = 0; channel < channels; channel++) {
            for (int32_t pixel = 0; pixel < pixels; pixel++) {
                int16_t *to = (int16_t *)(void *)(y + pixel * pitch + 2 * channel);
                *to = te_wide_output(op, stream, operands + pixel, channel);
            }
        }
    }
}

#endif
