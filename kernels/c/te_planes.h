/* Planes of pixel pairs: C twins of the assembly that fills and convolves them, byte for byte the same.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PLANES_H
#define TE_PLANES_H

#include "te_dsp_finish.h"

/* A word is x[0] | x[1] << 16, or the polynomial x[0] + x[1] * 2^21. Rows of four channels follow each other. */
typedef struct {
    int32_t poly;
    int32_t kernel_rows;
    int32_t kernel_cols;
    int32_t stride_cols;
    int32_t start;         /* column where the window of the first output begins: 0 or 1 */
    int32_t both;          /* weights are there for windows that begin in even columns and in odd ones */
    int32_t scale;         /* of the sums of polynomials and of bytes; those of pairs have it in their weights */
    int32_t channel_words; /* of a plane row: one channel */
    int32_t row_words;     /* and all four */
    int32_t before;        /* words before the weights in a channel's stream: bias, mantissa, addend, and a shift that
                              is the bias' lowest byte if there are just three */
    int32_t packed;        /* weights take a byte each: two words of them are one: polynomials follow each
                              other, pairs are its even and its odd bytes */
} te_planes_t;

/* Some rows of some channels, for te_planes_sums_twin and what it is the twin of. */
typedef struct {
    int32_t step;     /* bytes from one output row to the next */
    int32_t span;     /* bytes of the planes from the first row's window to that behind the last row's */
    int32_t channels; /* 1 to 4 */
} te_planes_job_t;

#define TE_POLY_BITS 21

/* The coefficients of a word. */
TE_INLINE int32_t te_poly_high(uint32_t word)
{
    return (int32_t)(word + (1u << (TE_POLY_BITS - 1))) >> TE_POLY_BITS;
}

TE_INLINE int32_t te_poly_low(uint32_t word)
{
    return (int32_t)(word - ((uint32_t)te_poly_high(word) << TE_POLY_BITS));
}

TE_INLINE int32_t te_planes_get(const te_planes_t *p, const uint32_t *plane, int32_t column)
{
    const uint32_t word = plane[column / 2];
    if (p->poly) {
        return column % 2 != 0 ? te_poly_high(word) : te_poly_low(word);
    }
    return (int16_t)(column % 2 != 0 ? word >> 16 : word);
}

TE_INLINE void te_planes_put(const te_planes_t *p, uint32_t *plane, int32_t column, int32_t value)
{
    uint32_t *word = &plane[column / 2];
    const uint32_t low = (uint32_t)(column % 2 != 0 ? te_planes_get(p, plane, column - 1) : value);
    const uint32_t high = (uint32_t)(column % 2 != 0 ? value : te_planes_get(p, plane, column + 1));
    *word = p->poly ? low + (high << TE_POLY_BITS) : (low & 0xFFFFu) | high << 16;
}

/* A word of weights, as the assembly has it but for the scale of bytes. */
TE_INLINE uint32_t te_planes_word(const te_planes_t *p, const uint32_t *weights, int32_t index)
{
    if (!p->packed) {
        return weights[index];
    }
    const int32_t step = p->poly ? 8 : 16; /* from the low part to the high one */
    const uint32_t both = weights[index / 2] >> (24 - step) * (index % 2);
    const uint32_t low = (uint32_t)(int8_t)both, high = (uint32_t)(int8_t)(both >> step);
    return p->poly ? low + (high << TE_POLY_BITS) : (low & 0xFFFFu) | high << 16;
}

/* The weight of a tap: w[0] w[1] | w[2] w[3] ... and, if there are two such rows, w[1] w[2] | w[3] w[4] ...;
 * or only one that starts with a weight of 0 if windows begin in odd columns. Polynomials hold w[1] + w[0] * 2^21. */
TE_INLINE int32_t te_planes_weight(const te_planes_t *p, const uint32_t *weights, int32_t row, int32_t tap)
{
    const int32_t taps = p->kernel_cols;
    if (p->poly || !p->both) {
        const int32_t place = tap + p->start, words = (taps + p->start + 1) / 2;
        const uint32_t word = te_planes_word(p, weights, row * words + place / 2);
        if (p->poly) {
            return place % 2 != 0 ? te_poly_low(word) : te_poly_high(word);
        }
        return (int16_t)(place % 2 != 0 ? word >> 16 : word);
    }
    const int32_t even = tap < taps / 2 * 2 || taps == 1;
    const uint32_t word = te_planes_word(p, weights, row * te_max(taps - 1, 1) + (even ? tap / 2 : taps - 2));
    return (int16_t)(tap % 2 != 0 || !even ? word >> 16 : word);
}

/* One output from the plane row where its window begins. */
TE_INLINE int8_t te_planes_output(const te_planes_t *p, te_dsp_requant_t how, const uint32_t *plane,
                                  const uint32_t *stream, int32_t column)
{
    uint32_t sum = p->poly ? 1u << (TE_POLY_BITS - 1) : 0;
    for (int32_t row = 0; row < p->kernel_rows; row++) {
        for (int32_t tap = 0; tap < p->kernel_cols; tap++) {
            const int32_t x = te_planes_get(p, plane + row * p->row_words, column * p->stride_cols + p->start + tap);
            sum += (uint32_t)(x * te_planes_weight(p, stream + p->before, row, tap));
        }
    }
    const int32_t hidden = how.shift < 0 && p->before == 3;
    const uint32_t words[] = {stream[1], stream[2], hidden ? stream[0] & 0xFFu : stream[3]};
    return te_dsp_finish((hidden ? stream[0] & ~0xFFu : stream[0]) + (sum << p->scale), words, how);
}

TE_INLINE void te_planes_fill_twin(const int8_t *pixels, uint32_t *planes, int32_t rows, int32_t step, int32_t poly,
                                   int32_t columns, int32_t pixel_bytes, int32_t channel_words, int32_t zero)
{
    const te_planes_t p = {.poly = poly};
    for (; rows > 0; rows--, pixels += step, planes += 4 * channel_words) {
        for (int32_t c = 0; c < 4; c++) {
            for (int32_t column = 0; column < columns; column++) {
                te_planes_put(&p, planes + c * channel_words, column, pixels[column * pixel_bytes + c]);
            }
            if (poly && columns % 2 != 0) {
                te_planes_put(&p, planes + c * channel_words, columns, zero);
            }
        }
    }
}

TE_INLINE void te_planes_keep_twin(uint32_t *to, const uint32_t *from, int32_t rows, int32_t row_words)
{
    for (int32_t i = 0; i < rows * row_words; i++) {
        to[i] = from[i];
    }
}

TE_INLINE void te_planes_sums_twin(const uint32_t *planes, const uint32_t *stream, int8_t *out,
                                   const te_planes_job_t *job, int32_t poly, int32_t kernel_rows, int32_t kernel_cols,
                                   int32_t stride_rows, int32_t stride_cols, int32_t start, int32_t both, int32_t scale,
                                   int32_t channel_words, int32_t columns, int32_t pixel_bytes, int32_t words,
                                   int32_t stream_words, int32_t packed, int32_t kind, int32_t before, int32_t shift,
                                   int32_t low, int32_t high)
{
    const te_planes_t p = {
        poly,          kernel_rows,       kernel_cols, stride_cols, start, both, scale,
        channel_words, 4 * channel_words, words,       packed,
    };
    const te_dsp_requant_t how = {(te_dsp_kind)kind, before, shift, low, high};
    const int32_t row_step = stride_rows * p.row_words, rows = job->span / 4 / row_step;
    for (int32_t c = 0; c < job->channels; c++, planes += channel_words, stream += stream_words, out++) {
        for (int32_t row = 0; row < rows; row++) {
            for (int32_t column = 0; column < columns; column++) {
                out[row * job->step + column * pixel_bytes] =
                    te_planes_output(&p, how, planes + row * row_step, stream, column);
            }
        }
    }
}

#endif
