/* A tensor in memory, as rows of pixels: all of them, or a ring that holds only those still needed.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ROWS_H
#define TE_ROWS_H

#include "te_common.h"

/* Row r begins (r * row_step + shift) bytes after base, in a ring modulo ring_bytes. */
typedef struct {
    uint8_t *base;
    int32_t rows; /* of the whole tensor */
    int32_t columns;
    int32_t pixel_bytes;
    int32_t row_step;
    int32_t shift;
    int32_t ring_bytes; /* 0: the whole tensor is there */
    int32_t wraps;      /* may a row run over the end of the ring and go on at its beginning? */
} te_rows;

/* What one call computes: rows [first, last), of each the columns [from, to). For kernels that take runs of
 * pixels: of the first row those from column `from` on, of the last row those before `to`, and all between. */
typedef struct {
    int32_t first;
    int32_t last;
    int32_t from;
    int32_t to;
} te_strip;

/* One row: column c lies at start + (c - column) * pixel_bytes, from column `wrap` on `back` bytes before that. */
typedef struct {
    int8_t *start;
    int32_t column;
    int32_t pixel_bytes;
    int32_t wrap;
    int32_t back;
} te_line;

/* The line whose column `column` lies `inside` bytes after base. */
TE_INLINE te_line te_line_at(te_rows tensor, int32_t inside, int32_t column)
{
    const te_line line = {
        (int8_t *)tensor.base + inside,
        column,
        tensor.pixel_bytes,
        tensor.wraps ? column + (tensor.ring_bytes - inside) / tensor.pixel_bytes : INT32_MAX,
        tensor.ring_bytes,
    };
    return line;
}

/* A row for use from column `column` on: a ring may be shorter than a row. For a ring this costs a division
 * by a constant, so once for each row, never for each pixel. */
TE_INLINE te_line te_line_of(te_rows tensor, int32_t row, int32_t column)
{
    const int32_t from = tensor.wraps ? column : 0;
    const uint32_t place = (uint32_t)(row * tensor.row_step + tensor.shift + from * tensor.pixel_bytes);
    return te_line_at(tensor, (int32_t)(tensor.ring_bytes == 0 ? place : place % (uint32_t)tensor.ring_bytes), from);
}

/* The line `rows` rows further down, without that division. */
TE_INLINE te_line te_line_after(te_rows tensor, te_line line, int32_t rows)
{
    const int32_t place = (int32_t)(line.start - (int8_t *)tensor.base);
    if (tensor.ring_bytes == 0) {
        return te_line_at(tensor, place + rows * tensor.row_step, line.column);
    }
    const int32_t inside = place + rows * tensor.row_step % tensor.ring_bytes;
    return te_line_at(tensor, inside < tensor.ring_bytes ? inside : inside - tensor.ring_bytes, line.column);
}

TE_INLINE int8_t *te_pixel(te_line line, int32_t column)
{
    return line.start + (column - line.column) * line.pixel_bytes - (column < line.wrap ? 0 : line.back);
}

/* The column behind the last of [from, to) that lies in one piece with column `from`. */
TE_INLINE int32_t te_piece(te_line line, int32_t from, int32_t to)
{
    return from < line.wrap && line.wrap < to ? line.wrap : to;
}

/* Columns [from, to) of a line, one after the other. */
TE_INLINE void te_gather(int8_t *y, te_line line, int32_t from, int32_t to)
{
    const int32_t cut = te_piece(line, from, to);
    te_copy(y, te_pixel(line, from), (cut - from) * line.pixel_bytes);
    if (cut < to) {
        te_copy(y + (cut - from) * line.pixel_bytes, te_pixel(line, cut), (to - cut) * line.pixel_bytes);
    }
}

/* Do all rows follow each other without gaps? */
TE_INLINE int te_is_gapless(te_rows tensor)
{
    return tensor.row_step == tensor.columns * tensor.pixel_bytes;
}

/* Of a tensor without gaps: a line that goes on with the rows below, for use from column `column` on. */
TE_INLINE te_line te_run_of(te_rows tensor, int32_t row, int32_t column)
{
    tensor.wraps = tensor.ring_bytes != 0;
    return te_line_of(tensor, row, column);
}

/* Do the rows of the strip follow each other without gaps? Then it is one long row. */
TE_INLINE int te_is_flat(te_rows tensor, te_strip strip)
{
    return tensor.ring_bytes == 0 && te_is_gapless(tensor) && strip.from == 0 && strip.to == tensor.columns;
}

#endif
