/* SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PW_X256_H
#define TE_PW_X256_H

#include "te_common.h"
#include "te_rows.h"

/* 1x1 convolution, four pixels at a time, weights packed x256: four to a word, two to each half as
 * 256 * w[0] + w[1]. `expand` and `block` are assembly made for this very shape, or their C twins below. */
typedef struct {
    int32_t columns, inputs, outputs;
    const uint32_t *stream, *stream_end;
    void (*expand)(const int8_t *pixels, int32_t *operands);
    void (*block)(const int32_t *operands, const uint32_t *stream, int8_t *out, const uint32_t *stream_end);
} te_pw_x256_t;

/* The pixels that are left over pass through scratch, so that nothing beyond a row is read or written. */
TE_INLINE void te_pw_x256_rest(const te_pw_x256_t *op, const int8_t *in, int8_t *out, int32_t pixels, int32_t *operands)
{
    int8_t *four_in = (int8_t *)(operands + 2 * op->inputs);
    int8_t *four_out = four_in + 4 * op->inputs;
    te_copy(four_in, in, pixels * op->inputs);
    op->expand(four_in, operands);
    op->block(operands, op->stream, four_out, op->stream_end);
    te_copy(out, four_out, pixels * op->outputs);
}

TE_INLINE void te_pw_x256_pixels(const te_pw_x256_t *op, const int8_t *in, int8_t *out, int32_t pixels, int32_t *operands)
{
    for (; pixels >= 4; pixels -= 4) {
        op->expand(in, operands);
        op->block(operands, op->stream, out, op->stream_end);
        in += 4 * op->inputs;
        out += 4 * op->outputs;
    }
    if (pixels > 0) {
        te_pw_x256_rest(op, in, out, pixels, operands);
    }
}

/* scratch: 8 bytes per input for the operands, then four pixels in and four pixels out */
TE_INLINE void te_pw_x256(const te_pw_x256_t *op, te_rows in, te_rows out, int32_t first, int32_t last, void *scratch)
{
    int32_t *operands = (int32_t *)scratch;
    if (te_is_flat(in, op->columns * op->inputs) && te_is_flat(out, op->columns * op->outputs)) {
        te_pw_x256_pixels(op, te_row(in, first), te_row(out, first), (last - first) * op->columns, operands);
        return;
    }
    for (int32_t y = first; y < last; y++) {
        te_pw_x256_pixels(op, te_row(in, y), te_row(out, y), op->columns, operands);
    }
}

/* -- C twins of the assembly: same operands, same stream, same bytes ------------------------------------------ */

TE_INLINE int32_t te_low16(uint32_t word)
{
    return (int32_t)(int16_t)(uint16_t)word;
}

TE_INLINE int32_t te_high16(uint32_t word)
{
    return (int32_t)(int16_t)(uint16_t)(word >> 16);
}

TE_INLINE uint32_t te_halves(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

/* smlad, wrapping */
TE_INLINE uint32_t te_smlad(uint32_t a, uint32_t b, uint32_t acc)
{
    return acc + (uint32_t)(te_low16(a) * te_low16(b)) + (uint32_t)(te_high16(a) * te_high16(b));
}

TE_INLINE void te_pw_x256_expand_twin(const int8_t *pixels, int32_t *operands, int32_t inputs)
{
    for (int32_t k = 0; k < inputs; k += 4) {
        for (int32_t p = 0; p < 4; p++) {
            const int8_t *x = pixels + p * inputs + k;
            *operands++ = (int32_t)te_halves(x[0] - 127, x[2] - 127);
        }
        for (int32_t p = 0; p < 4; p++) {
            const int8_t *x = pixels + p * inputs + k;
            *operands++ = (int32_t)te_halves(256 * x[1] + 127 - x[0], 256 * x[3] + 127 - x[2]);
        }
    }
}

/* a is 256 * accumulator; the addend already holds rounding half and zero point */
TE_INLINE int8_t te_pw_x256_requant(int32_t a, const uint32_t *params, int32_t relu)
{
    const int64_t mantissa = (int32_t)params[0];
    int64_t addend = (int32_t)params[1];
    int64_t value;
    if (relu) {
        value = addend + (a * mantissa >> 32);
    } else {
        const int64_t doubled = a >> 7;
        addend += doubled < 0 ? -1 : 0;
        value = addend + ((doubled * mantissa + ((int64_t)1 << 31)) >> 32);
    }
    value >>= params[2];
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

TE_INLINE void te_pw_x256_block_twin(const int32_t *operands, const uint32_t *stream, int8_t *out,
                                     const uint32_t *stream_end, int32_t inputs, int32_t outputs, int32_t relu)
{
    const int32_t groups = inputs / 4;
    for (; stream != stream_end; stream += 8 + 2 * groups, out += 2) {
        for (int32_t c = 0; c < 2; c++) {
            const uint32_t *requant = stream + 2 + 2 * groups + 3 * c;
            for (int32_t p = 0; p < 4; p++) {
                uint32_t acc = stream[c];
                for (int32_t g = 0; g < groups; g++) {
                    const uint32_t w = stream[2 + 2 * g + c];
                    const uint32_t odd = te_halves((int8_t)(uint8_t)w, (int8_t)(uint8_t)(w >> 16));
                    acc = te_smlad(w, (uint32_t)operands[8 * g + p], acc);
                    acc = te_smlad(odd, (uint32_t)operands[8 * g + 4 + p], acc);
                }
                out[p * outputs + c] = te_pw_x256_requant((int32_t)acc, requant, relu);
            }
        }
    }
}

#endif
