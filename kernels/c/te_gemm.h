/* Matrix products in blocks: all output channels of four pixels, or of one, from their expanded operands.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GEMM_H
#define TE_GEMM_H

#include "te_dsp_finish.h"
#include "te_halves.h"

/* Assembly, or its C twin below. Two channels at a time, from `stream` to `stream_end`: biases, weights,
 * requantisation. Routines are made for one shape; those that layers share find the bytes of a pixel's operands (of
 * all four places) and those from one output pixel to the next in front of the stream, and of the last channel. */
typedef void te_gemm_routine(const int32_t *operands, const uint32_t *stream, int8_t *y, const uint32_t *stream_end);

typedef struct {
    const uint32_t *stream;
    const uint32_t *last; /* of the last channel, if it has no partner */
    const uint32_t *stream_end;
    int32_t last_offset;    /* in bytes, of that channel's output */
    te_gemm_routine *pairs; /* of four pixels; what is not needed is null */
    te_gemm_routine *last_channel;
    te_gemm_routine *pairs_of_one; /* of one pixel */
    te_gemm_routine *last_of_one;
} te_gemm_t;

/* For every four inputs 32 bytes of operands: the words A of four pixels, then their words B, aligned to 8. */
TE_INLINE void te_gemm_block(const te_gemm_t *op, const int32_t *operands, int8_t *y)
{
    if (op->pairs != NULL) {
        op->pairs(operands, op->stream, y, op->last);
    }
    if (op->last_channel != NULL) {
        op->last_channel(operands, op->last, y + op->last_offset, op->stream_end);
    }
}

/* Of the first of four places. */
TE_INLINE void te_gemm_single(const te_gemm_t *op, const int32_t *operands, int8_t *y)
{
    if (op->pairs_of_one != NULL) {
        op->pairs_of_one(operands, op->stream, y, op->last);
    }
    if (op->last_of_one != NULL) {
        op->last_of_one(operands, op->last, y + op->last_offset, op->stream_end);
    }
}

/* -- C twin of all four: same operands, same stream, same bytes ----------------------------------------------- */

typedef struct {
    int32_t words; /* of four weights */
    int32_t x256;  /* if it is one word: are its halves 256 * w[0] + w[1], or has it four bytes? */
    int32_t channels;
    int32_t groups;
    te_dsp_requant_t requant;
} te_gemm_block_t;

/* Four inputs of a pixel and of one of the channels. */
TE_INLINE uint32_t te_gemm_group(te_gemm_block_t op, const uint32_t *w, const int32_t *operands, uint32_t acc)
{
    const uint32_t a = (uint32_t)operands[0], b = (uint32_t)operands[4];
    if (op.words == 2) {
        return te_smlad(w[op.channels], b, te_smlad(w[0], a, acc));
    }
    if (op.x256) {
        return te_smlad(te_sxtb16(w[0]), b, te_smlad(w[0], a, acc));
    }
    return te_smlad(te_sxtb16(w[0] >> 8 | w[0] << 24), b, te_smlad(te_sxtb16(w[0]), a, acc));
}

TE_INLINE int8_t te_gemm_output(te_gemm_block_t op, const uint32_t *stream, const int32_t *operands, int32_t channel)
{
    const int32_t finish_words = op.requant.shift < 0 ? 3 : 2;
    const uint32_t *w = stream + op.channels + channel;
    uint32_t acc = stream[channel];
    for (int32_t group = 0; group < op.groups; group++, w += op.words * op.channels, operands += 8) {
        acc = te_gemm_group(op, w, operands, acc);
    }
    return te_dsp_finish(acc, w - channel + channel * finish_words, op.requant);
}

TE_INLINE void te_gemm_twin(const int32_t *operands, const uint32_t *stream, int8_t *y, const uint32_t *stream_end,
                            int32_t words, int32_t x256, int32_t channels, int32_t pixels, int32_t groups,
                            int32_t pitch, te_dsp_kind kind, int32_t before, int32_t shift, int32_t low, int32_t high)
{
    if (groups == 0) { /* shared: its shape is in front of the stream */
        groups = (int32_t)stream[0] / 32;
        pitch = (int32_t)stream[1];
        stream += 2;
    }
    const te_gemm_block_t op = {words, x256, channels, groups, {kind, before, shift, low, high}};
    const int32_t pass_words = channels * (1 + words * groups + (shift < 0 ? 3 : 2));
    for (; stream != stream_end; stream += pass_words, y += channels) {
        for (int32_t channel = 0; channel < channels; channel++) {
            for (int32_t pixel = 0; pixel < pixels; pixel++) {
                y[pixel * pitch + channel] = te_gemm_output(op, stream, operands + pixel, channel);
            }
        }
    }
}

#endif
