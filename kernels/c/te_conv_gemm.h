/* Convolution with any kernel, stride, dilation and padding, as a product with generated assembly.
 *
 * What four output pixels see becomes operands straight from the input, row by row of the kernel; only the windows
 * of pixels at the left and right border, or where a line wraps, are put together in scratch first.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CONV_GEMM_H
#define TE_CONV_GEMM_H

#include "te_copy_pixel.h"
#include "te_expand_windows.h"
#include "te_gemm.h"
#include "te_window.h"

typedef struct {
    te_window_t window;
    te_gemm_t gemm;
    int32_t operand_bytes; /* of four pixels */
    int32_t patch_bytes;   /* of the window of one pixel, and no less than its outputs */
    int32_t zero_bytes;    /* what a pixel sees of one row, or four neighbours together */
    te_expand_windows_routine *expand_inner; /* of four neighbours without a border; null if there are none */
    te_expand_windows_routine *expand_any;
} te_conv_gemm_t;

typedef struct {
    int32_t *operands;
    const int8_t **rows; /* of each kernel row four addresses, one for each pixel; or one for all */
    int8_t *patches;     /* windows of four pixels; or their outputs */
    int8_t *zeros;       /* a row outside of the image */
} te_conv_scratch;

/* An output pixel, and the line of the first row inside the image that it sees. */
typedef struct {
    int32_t row;
    int32_t column;
    te_taps inside;
    te_line x;
} te_conv_place;

TE_INLINE te_conv_scratch te_conv_scratch_in(const te_conv_gemm_t *op, void *scratch)
{
    int8_t *rows = (int8_t *)scratch + op->operand_bytes;
    int8_t *patches = rows + 4 * op->window.kernel_rows * 8; /* an address takes up to 8 bytes */
    const te_conv_scratch parts = {
        (int32_t *)scratch,
        (const int8_t **)(void *)rows,
        patches,
        patches + 4 * op->patch_bytes,
    };
    return parts;
}

TE_INLINE te_conv_place te_conv_at(const te_conv_gemm_t *op, te_rows in, int32_t row, int32_t column)
{
    const te_taps inside = te_window_inside(&op->window, in, te_window_top(&op->window, row));
    const int32_t left = te_max(te_window_left(&op->window, column), 0);
    const te_conv_place place = {row, column, inside, te_line_of(in, inside.row, left)};
    return place;
}

/* The same, or at the end of a row the beginning of the next. */
TE_INLINE te_conv_place te_conv_on(const te_conv_gemm_t *op, te_rows in, te_conv_place place, int32_t columns)
{
    return place.column < columns ? place : te_conv_at(op, in, place.row + 1, 0);
}

/* The place `count` pixels further back. */
TE_INLINE te_conv_place te_conv_back(const te_conv_gemm_t *op, te_rows in, te_conv_place place, int32_t columns,
                                     int32_t count)
{
    place.column -= count;
    while (place.column < 0) {
        place.column += columns;
        place.row--;
    }
    return te_conv_at(op, in, place.row, place.column);
}

/* What a pixel with a border or holes sees of one row. */
TE_INLINE void te_conv_patch(const te_window_t *window, te_line x, int32_t column, const int8_t *zeros, int8_t *patch)
{
    for (int32_t tap = 0; tap < window->kernel_cols; tap++, column += window->dilation_cols) {
        const int8_t *from = column >= 0 && column < window->in_cols ? te_pixel(x, column) : zeros;
        te_copy_pixel(patch + tap * window->pixel_bytes, from, window->pixel_bytes);
    }
}

/* Addresses of what one pixel sees; `pixel` is its place among the four. */
TE_INLINE void te_conv_see(const te_conv_gemm_t *op, te_rows in, te_conv_place place, te_conv_scratch parts,
                           int32_t pixel)
{
    const te_window_t *window = &op->window;
    const int32_t left = te_window_left(window, place.column), right = left + window->kernel_cols;
    const int32_t whole = window->dilation_cols == 1 && left >= 0 && right <= window->in_cols;
    const int8_t **row = parts.rows + pixel, **first = row + 4 * place.inside.first;
    const int8_t **last = row + 4 * place.inside.last, **end = row + 4 * window->kernel_rows;
    int8_t *patch = parts.patches + pixel * op->patch_bytes;
    te_line x = place.x;
    for (; row != first; row += 4) {
        *row = parts.zeros;
    }
    if (whole && !in.wraps) {
        for (; row != last; row += 4, x = te_line_after(in, x, window->dilation_rows)) {
            *row = te_pixel(x, left);
        }
    }
    for (; row != last; row += 4, x = te_line_after(in, x, window->dilation_rows)) {
        if (whole && te_piece(x, left, right) == right) {
            *row = te_pixel(x, left);
        } else {
            te_conv_patch(window, x, left, parts.zeros, patch);
            *row = patch;
            patch += window->kernel_cols * window->pixel_bytes;
        }
    }
    for (; row != end; row += 4) {
        *row = parts.zeros;
    }
}

/* Operands of `count` pixels from `place` on, which moves on behind them; those up to the fourth see zeros. */
TE_INLINE te_conv_place te_conv_gather(const te_conv_gemm_t *op, te_rows in, te_conv_place place, int32_t columns,
                                       te_conv_scratch parts, int32_t count)
{
    for (int32_t pixel = 0; pixel < count; pixel++, place.column++) {
        place = te_conv_on(op, in, place, columns);
        te_conv_see(op, in, place, parts, pixel);
    }
    for (int32_t i = 0; i < 4 * op->window.kernel_rows && count < 4; i++) {
        if ((i & 3) >= count) {
            parts.rows[i] = parts.zeros;
        }
    }
    op->expand_any(parts.rows, parts.operands);
    return place;
}

/* Does one of the lines that the next four pixels see wrap there? */
TE_INLINE int32_t te_conv_is_cut(const te_conv_gemm_t *op, te_rows in, te_conv_place place)
{
    const te_window_t *window = &op->window;
    const int32_t left = te_window_left(window, place.column);
    const int32_t right = left + 3 * window->stride_cols + window->kernel_cols;
    te_line x = place.x;
    int32_t cut = 0;
    for (int32_t tap = place.inside.first; tap < place.inside.last; tap++) {
        cut |= te_piece(x, left, right) != right;
        x = te_line_after(in, x, window->dilation_rows);
    }
    return cut;
}

/* How many of the next `count` pixels of the row, in fours, see no border and no line that wraps. */
TE_INLINE int32_t te_conv_inner(const te_conv_gemm_t *op, te_rows in, te_conv_place place, int32_t count)
{
    const te_window_t *window = &op->window;
    const int32_t end = (window->in_cols + window->pad_left - window->kernel_cols) / window->stride_cols + 1;
    if (op->expand_inner == NULL || te_window_left(window, place.column) < 0) {
        return 0;
    }
    count = te_max(te_min(end - place.column, count), 0) & ~3;
    if (in.wraps && count > 0) {
        count = te_conv_is_cut(op, in, place) ? 0 : 4;
    }
    return count;
}

/* So many of them, one or more. */
TE_INLINE void te_conv_inner_blocks(const te_conv_gemm_t *op, te_rows in, te_conv_place place, te_conv_scratch parts,
                                    int32_t count, int8_t *y, int32_t out_bytes)
{
    const te_window_t *window = &op->window;
    const int32_t left = te_window_left(window, place.column);
    te_line x = place.x;
    for (int32_t tap = 0; tap < window->kernel_rows; tap++) {
        parts.rows[tap] = parts.zeros;
        if (tap >= place.inside.first && tap < place.inside.last) {
            parts.rows[tap] = te_pixel(x, left);
            x = te_line_after(in, x, window->dilation_rows);
        }
    }
    for (;;) {
        op->expand_inner(parts.rows, parts.operands);
        te_gemm_block(&op->gemm, parts.operands, y);
        count -= 4;
        if (count == 0) {
            return;
        }
        y += 4 * out_bytes;
        for (int32_t tap = place.inside.first; tap < place.inside.last; tap++) {
            parts.rows[tap] += 4 * window->stride_cols * window->pixel_bytes;
        }
    }
}

/* `count` pixels from column `from` of the line on, whose outputs may be cut there. */
TE_INLINE void te_conv_put(te_line y, int32_t from, int32_t count, const int8_t *outputs)
{
    const int32_t cut = te_piece(y, from, from + count);
    te_copy(te_pixel(y, from), outputs, (cut - from) * y.pixel_bytes);
    if (cut < from + count) {
        te_copy(te_pixel(y, cut), outputs + (cut - from) * y.pixel_bytes, (from + count - cut) * y.pixel_bytes);
    }
}

/* `count` pixels one after the other, in rows of so many columns; their outputs lie on one line. Of two or three
 * left over, the last block computes others once more: input and output share no byte. */
TE_INLINE void te_conv_run(const te_conv_gemm_t *op, te_rows in, te_conv_place place, te_line y, int32_t columns,
                           te_conv_scratch parts, int32_t count)
{
    const int32_t from = place.column, to = from + count;
    for (int32_t at = from, some; at < to; at += some) {
        place = te_conv_on(op, in, place, columns);
        some = te_conv_inner(op, in, place, te_piece(y, at, to) - at);
        if (some > 0) {
            te_conv_inner_blocks(op, in, place, parts, some, te_pixel(y, at), y.pixel_bytes);
            place.column += some;
            continue;
        }
        some = te_min(to - at, 4);
        if (some > 1 && some < 4 && count >= 4) {
            place = te_conv_back(op, in, place, columns, 4 - some);
            at -= 4 - some;
            some = 4;
        }
        place = te_conv_gather(op, in, place, columns, parts, some);
        if (some == 1) {
            te_gemm_single(&op->gemm, parts.operands, te_pixel(y, at));
        } else if (some == 4 && te_piece(y, at, at + 4) == at + 4) {
            te_gemm_block(&op->gemm, parts.operands, te_pixel(y, at));
        } else {
            te_gemm_block(&op->gemm, parts.operands, parts.patches);
            te_conv_put(y, at, some, parts.patches);
        }
    }
}

/* Where outputs follow each other across rows, so do the blocks of four pixels. */
TE_INLINE void te_conv_gemm(const te_conv_gemm_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const te_conv_scratch parts = te_conv_scratch_in(op, scratch);
    te_fill(parts.zeros, op->window.in_zero, op->zero_bytes);
    if (te_is_gapless(out) && strip.from == 0 && strip.to == out.columns) {
        te_conv_run(op, in, te_conv_at(op, in, strip.first, 0), te_run_of(out, strip.first, 0), out.columns, parts,
                    (strip.last - strip.first) * out.columns);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        te_conv_run(op, in, te_conv_at(op, in, row, strip.from), te_line_of(out, row, strip.from), out.columns, parts,
                    strip.to - strip.from);
    }
}

#endif
