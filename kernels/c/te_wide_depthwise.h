/* Depthwise convolution of int16 values, some neighbours of a row at a time, for two channels or more and depth
 * multiplier 1. Assembly reads the inputs where they lie; parts of rows, and rows that are cut, are gathered pixel by
 * pixel.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WIDE_DEPTHWISE_H
#define TE_WIDE_DEPTHWISE_H

#include "te_dsp_finish.h"
#include "te_halves.h"
#include "te_window.h"

/* Neighbouring outputs from y on, two channels at a time as the stream has them, from rows of which each has its own
 * address. */
typedef void te_wide_depthwise_routine(const int8_t *const *rows, const uint32_t *stream, int8_t *y,
                                       const uint32_t *stream_end);

typedef struct {
    te_window_t window;
    int32_t channels;
    int32_t outputs;     /* of one block; no more than a row has */
    int32_t last_column; /* where the last block begins */
    int32_t inner_limit; /* where the last one may begin that sees no border */
    int32_t zero_bytes;  /* what a block sees of a row outside of the image */
    int32_t patch_bytes; /* of the window of one pixel, and no less than that */
    const uint32_t *stream;
    const uint32_t *last; /* of the last two channels, if the one before has been computed with another */
    const uint32_t *stream_end;
    te_wide_depthwise_routine *left; /* at the beginning of a row */
    te_wide_depthwise_routine *inner; /* null if rows are too short for it */
    te_wide_depthwise_routine *right; /* at the end of a row, if that is not one block */
    te_wide_depthwise_routine *single; /* one pixel, from its gathered window */
} te_wide_depthwise_t;

/* All channels; `rows` have no use afterwards. */
TE_INLINE void te_wide_depthwise_block(const te_wide_depthwise_t *op, te_wide_depthwise_routine *routine,
                                       const int8_t **rows, int8_t *y)
{
    routine(rows, op->stream, y, op->last);
    if (op->channels % 2 != 0) {
        for (int32_t tap = 0; tap < op->window.kernel_rows; tap++) {
            rows[tap] += 2 * (op->channels - 2);
        }
        routine(rows, op->last, y + 2 * (op->channels - 2), op->stream_end);
    }
}

/* The outputs from `column` on; `x` is the line of the first row inside the image. */
TE_INLINE void te_wide_depthwise_some(const te_wide_depthwise_t *op, te_wide_depthwise_routine *routine, te_rows in,
                                      te_line x, te_taps inside, te_line y, int32_t column, const int8_t **rows,
                                      const int8_t *zeros)
{
    const int32_t left = te_max(te_window_left(&op->window, column), 0);
    for (int32_t tap = 0; tap < op->window.kernel_rows; tap++) {
        rows[tap] = zeros;
        if (tap >= inside.first && tap < inside.last) {
            rows[tap] = te_pixel(x, left);
            x = te_line_after(in, x, op->window.dilation_rows);
        }
    }
    te_wide_depthwise_block(op, routine, rows, te_pixel(y, column));
}

/* A row in blocks, of which the last two may compute some outputs once more: input and output share no byte. */
TE_INLINE void te_wide_depthwise_row(const te_wide_depthwise_t *op, te_rows in, te_line x, te_taps inside, te_line y,
                                     const int8_t **rows, const int8_t *zeros)
{
    const int32_t last = op->last_column;
    te_wide_depthwise_some(op, op->left, in, x, inside, y, 0, rows, zeros);
    for (int32_t column = op->outputs; column < last; column += op->outputs) {
        const int32_t from = te_min(column, op->inner_limit);
        te_wide_depthwise_some(op, op->inner, in, x, inside, y, from, rows, zeros);
    }
    if (last > 0) {
        te_wide_depthwise_some(op, op->right, in, x, inside, y, last, rows, zeros);
    }
}

TE_INLINE void te_wide_depthwise_pixel(const te_wide_depthwise_t *op, te_rows in, te_line x, te_taps inside, te_line y,
                                       int32_t column, const int8_t **rows, int8_t *patch)
{
    te_window_gather(&op->window, in, x, inside, column, patch);
    for (int32_t tap = 0; tap < op->window.kernel_rows; tap++) {
        rows[tap] = patch + tap * op->window.kernel_cols * op->window.pixel_bytes;
    }
    te_wide_depthwise_block(op, op->single, rows, te_pixel(y, column));
}

/* Does the row of the output, or one that it sees, go on at the beginning of its ring? Both lines are for use from
 * column 0 on. */
TE_INLINE int te_wide_depthwise_is_cut(const te_wide_depthwise_t *op, te_rows in, te_line x, te_taps inside,
                                       te_rows out, te_line y)
{
    if (out.wraps && te_piece(y, 0, out.columns) < out.columns) {
        return 1;
    }
    for (int32_t tap = inside.first; in.wraps && tap < inside.last; tap++) {
        if (te_piece(x, 0, in.columns) < in.columns) {
            return 1;
        }
        x = te_line_after(in, x, op->window.dilation_rows);
    }
    return 0;
}

/* Scratch: patch_bytes, in multiples of 8, and 8 bytes for each row of the kernel. */
TE_INLINE void te_wide_depthwise(const te_wide_depthwise_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const te_window_t *window = &op->window;
    const int32_t whole = strip.from == 0 && strip.to == out.columns;
    int32_t filled = 0; /* are there zeros? */
    int8_t *patch = (int8_t *)scratch;
    const int8_t **rows = (const int8_t **)(void *)(patch + op->patch_bytes);
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_taps inside = te_window_inside(window, in, te_window_top(window, row));
        const te_line x = te_line_of(in, inside.row, te_max(te_window_left(window, strip.from), 0));
        const te_line y = te_line_of(out, row, strip.from);
        if (whole && !te_wide_depthwise_is_cut(op, in, x, inside, out, y)) {
            if (!filled && inside.last - inside.first < window->kernel_rows) {
                te_fill(patch, 0, op->zero_bytes);
                filled = 1;
            }
            te_wide_depthwise_row(op, in, x, inside, y, rows, patch);
            continue;
        }
        filled = 0;
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_wide_depthwise_pixel(op, in, x, inside, y, column, rows, patch);
        }
    }
}

/* -- C twin of the assembly: same rows, same stream, same outputs --------------------------------------------- */

typedef struct {
    int32_t rows;
    int32_t taps;
    int32_t dilation;
    int32_t pitch;
    int32_t columns; /* of the input: taps outside of 0 ... columns - 1 are left out */
    te_dsp_requant_t requant;
} te_wide_depthwise_block_t;

/* One value; `channel` is 0 or 1 of the two, `offset` that of its first in bytes, `column` where the first tap is. */
TE_INLINE int16_t te_wide_depthwise_value(te_wide_depthwise_block_t op, const int8_t *const *rows,
                                          const uint32_t *stream, int32_t channel, int32_t offset, int32_t column)
{
    const uint32_t *w = stream + 2, *finish = w + op.rows * op.taps;
    uint32_t acc = stream[channel];
    for (int32_t row = 0; row < op.rows; row++) {
        for (int32_t tap = 0; tap < op.taps; tap++, w++) {
            const int32_t at = column + tap * op.dilation;
            if (at >= 0 && at < op.columns) {
                const uint32_t x = te_load32(rows[row] + at * op.pitch + offset);
                acc = channel == 0 ? te_mac(acc, te_low16(x), te_low16(*w)) : te_mac(acc, te_high16(x), te_high16(*w));
            }
        }
    }
    return te_wide_finish(acc, finish + channel * (op.requant.shift < 0 ? 3 : 2), op.requant);
}

TE_INLINE void te_wide_depthwise_twin(const int8_t *const *rows, const uint32_t *stream, int8_t *y,
                                      const uint32_t *stream_end, int32_t kernel_rows, int32_t taps, int32_t stride,
                                      int32_t dilation, int32_t pitch, int32_t outputs, int32_t first,
                                      int32_t columns, te_dsp_kind kind, int32_t before, int32_t shift, int32_t low,
                                      int32_t high)
{
    const te_dsp_requant_t requant = {kind, before, shift, low, high};
    const te_wide_depthwise_block_t op = {kernel_rows, taps, dilation, pitch, columns, requant};
    const int32_t words = 2 + kernel_rows * taps + 2 * (shift < 0 ? 3 : 2);
    for (int32_t offset = 0; stream != stream_end; stream += words, offset += 4) {
        for (int32_t output = 0; output < outputs; output++) {
            int16_t *to = (int16_t *)(void *)(y + output * pitch + offset);
            to[0] = te_wide_depthwise_value(op, rows, stream, 0, offset, first + output * stride);
            to[1] = te_wide_depthwise_value(op, rows, stream, 1, offset, first + output * stride);
        }
    }
}

#endif
