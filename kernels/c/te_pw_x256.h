/* SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PW_X256_H
#define TE_PW_X256_H

#include "te_halves.h"
#include "te_rows.h"

/* 1x1 convolution, four pixels at a time, weights packed x256: four to a word, two to each half as
 * 256 * w[0] + w[1]. `expand` and `block` are assembly made for this very shape, or their C twins below. */
typedef struct {
    int32_t inputs, outputs;
    int32_t relu;
    const uint32_t *stream, *stream_end;
    void (*expand)(const int8_t *pixels, int32_t *operands);
    void (*block)(const int32_t *operands, const uint32_t *stream, int8_t *out, const uint32_t *stream_end);
} te_pw_x256_t;

/* One pixel's operands, for every four inputs two words: x[0] - 127 and x[2] - 127; 256 * x[1] + 127 - x[0]
 * and 256 * x[3] + 127 - x[2]. They lie among those of three other pixels. */
TE_INLINE void te_pw_x256_expand_pixel(const int8_t *x, int32_t *operands, int32_t inputs)
{
    for (int32_t k = 0; k < inputs; k += 4, operands += 8) {
        const uint32_t word = te_load32(x + k);
        operands[0] = (int32_t)te_halves(x[k] - 127, x[k + 2] - 127);
        operands[4] = (int32_t)(word ^ 0x007F007Fu);
    }
}

/* `a` is 256 * accumulator; the addend already holds rounding half and zero point. Bounds are proved. */
TE_INLINE int8_t te_pw_x256_requant(uint32_t acc, const uint32_t *params, int32_t relu)
{
    const int64_t mantissa = (int32_t)params[0];
    const int32_t addend = (int32_t)params[1], a = (int32_t)acc;
    int32_t value;
    if (relu) {
        value = addend + (int32_t)(a * mantissa >> 32);
    } else {
        const int32_t doubled = a >> 7;
        value = addend + (doubled >> 31) + (int32_t)((doubled * mantissa + ((int64_t)1 << 31)) >> 32);
    }
    return (int8_t)te_clamp(value >> params[2], -128, 127);
}

/* All outputs of one pixel. */
TE_INLINE void te_pw_x256_outputs(const int32_t *operands, const uint32_t *stream, int8_t *out,
                                  const uint32_t *stream_end, int32_t inputs, int32_t relu)
{
    for (; stream != stream_end; stream += 6, out += 2) {
        const uint32_t *w = stream + 2;
        uint32_t a = stream[0], b = stream[1];
        stream = w + inputs / 2;
        for (const int32_t *x = operands; w != stream; w += 2, x += 8) {
            a = te_smlad(w[0], (uint32_t)x[0], a);
            b = te_smlad(w[1], (uint32_t)x[0], b);
            a = te_smlad(te_sxtb16(w[0]), (uint32_t)x[4], a);
            b = te_smlad(te_sxtb16(w[1]), (uint32_t)x[4], b);
        }
        out[0] = te_pw_x256_requant(a, stream, relu);
        out[1] = te_pw_x256_requant(b, stream + 3, relu);
    }
}

/* Up to three pixels that are alone: half a block's work each. */
TE_COLD void te_pw_x256_few(const te_pw_x256_t *op, const int8_t *x, int8_t *y, int32_t count, int32_t *operands)
{
    for (; count > 0; count--, x += op->inputs, y += op->outputs) {
        te_pw_x256_expand_pixel(x, operands, op->inputs);
        te_pw_x256_outputs(operands, op->stream, y, op->stream_end, op->inputs, op->relu);
    }
}

/* Neighbours in memory. Of two or three left over, the last block computes others once more: input and
 * output share no byte. */
TE_INLINE void te_pw_x256_piece(const te_pw_x256_t *op, const int8_t *x, int8_t *y, int32_t count, int32_t *operands)
{
    while (count >= 4) {
        const int32_t left = count - 4, step = left == 2 || left == 3 ? left : 4;
        op->expand(x, operands);
        op->block(operands, op->stream, y, op->stream_end);
        count -= step;
        x += step * op->inputs;
        y += step * op->outputs;
    }
    if (count > 0) {
        te_pw_x256_few(op, x, y, count, operands);
    }
}

TE_INLINE void te_pw_x256_pixels(const te_pw_x256_t *op, te_line x, te_line y, int32_t from, int32_t to,
                                 int32_t *operands)
{
    for (int32_t stop; from < to; from = stop) {
        stop = te_piece(x, from, te_piece(y, from, to));
        te_pw_x256_piece(op, te_pixel(x, from), te_pixel(y, from), stop - from, operands);
    }
}

/* Takes any run of pixels. Scratch: 8 bytes per input, for the operands. */
TE_INLINE void te_pw_x256(const te_pw_x256_t *op, te_rows in, te_rows out, te_strip run, void *scratch)
{
    int32_t *operands = (int32_t *)scratch;
    if (te_is_gapless(in) && te_is_gapless(out)) {
        const int32_t count = (run.last - 1 - run.first) * out.columns + run.to - run.from;
        te_pw_x256_pixels(op, te_run_of(in, run.first, run.from), te_run_of(out, run.first, run.from), run.from,
                          run.from + count, operands);
        return;
    }
    for (int32_t row = run.first; row < run.last; row++) {
        const int32_t from = row == run.first ? run.from : 0;
        const int32_t to = row == run.last - 1 ? run.to : out.columns;
        te_pw_x256_pixels(op, te_line_of(in, row, from), te_line_of(out, row, from), from, to, operands);
    }
}

/* -- C twins of the assembly: same operands, same stream, same bytes ------------------------------------------ */

TE_INLINE void te_pw_x256_expand_twin(const int8_t *pixels, int32_t *operands, int32_t inputs)
{
    for (int32_t p = 0; p < 4; p++) {
        te_pw_x256_expand_pixel(pixels + p * inputs, operands + p, inputs);
    }
}

TE_INLINE void te_pw_x256_block_twin(const int32_t *operands, const uint32_t *stream, int8_t *out,
                                     const uint32_t *stream_end, int32_t inputs, int32_t outputs, int32_t relu)
{
    for (int32_t p = 0; p < 4; p++) {
        te_pw_x256_outputs(operands + p, stream, out + p * outputs, stream_end, inputs, relu);
    }
}

#endif
