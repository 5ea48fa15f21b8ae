/* Images one after the other along rows, columns or channels.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_CONCATENATION_H
#define TE_CONCATENATION_H

#include "te_parts.h"

typedef struct {
    te_along along;
    te_parts_t parts;
} te_concatenation_t;

/* One part, with the place of its first row, column and channel in the output. */
typedef struct {
    te_rows image;
    int32_t row;
    int32_t column;
    int32_t channel;
} te_part;

TE_INLINE te_rows te_concatenation_image(const te_concatenation_t *op, const te_rows *in, te_rows out, int32_t i)
{
    const te_parts_t *parts = &op->parts;
    te_rows image = out;
    if (parts->source[i] >= 0) {
        return in[parts->source[i]];
    }
    image.base = (uint8_t *)(uintptr_t)(parts->constants + parts->start[i]); /* only read */
    image.rows = op->along == TE_ALONG_ROWS ? parts->size[i] : out.rows;
    image.columns = op->along == TE_ALONG_COLUMNS ? parts->size[i] : out.columns;
    image.pixel_bytes = op->along == TE_ALONG_CHANNELS ? parts->size[i] : out.pixel_bytes;
    image.row_step = image.columns * image.pixel_bytes;
    image.shift = image.ring_bytes = image.wraps = 0;
    return image;
}

/* Columns [from, to) of one row of the part. */
TE_INLINE void te_concatenation_row(const te_part *part, te_line x, te_line y, int32_t from, int32_t to)
{
    if (part->image.pixel_bytes == y.pixel_bytes) {
        for (int32_t cut; from < to; from = cut) {
            cut = te_piece(y, from + part->column, to + part->column) - part->column;
            te_gather(te_pixel(y, from + part->column), x, from, cut);
        }
        return;
    }
    for (; from < to; from++) {
        te_copy(te_pixel(y, from) + part->channel, te_pixel(x, from), part->image.pixel_bytes);
    }
}

TE_INLINE void te_concatenation_part(const te_part *part, te_rows out, te_strip strip)
{
    const int32_t first = te_max(strip.first, part->row), last = te_min(strip.last, part->row + part->image.rows);
    const int32_t from = te_max(strip.from - part->column, 0);
    const int32_t to = te_min(strip.to - part->column, part->image.columns);
    for (int32_t row = first; row < last && from < to; row++) {
        const te_line x = te_line_of(part->image, row - part->row, from);
        const te_line y = te_line_of(out, row, from + part->column);
        /* unless it was computed where it belongs: rows alone may coincide by chance, in memory that is used again */
        if (te_pixel(x, from) != te_pixel(y, from + part->column) + part->channel) {
            te_concatenation_row(part, x, y, from, to);
        }
    }
}

TE_INLINE void te_concatenation(const te_concatenation_t *op, const te_rows *in, int32_t count, te_rows out,
                                te_strip strip, void *scratch)
{
    int32_t row = 0, column = 0, channel = 0;
    (void)count, (void)scratch;
    TE_UNROLL
    for (int32_t i = 0; i < op->parts.count; i++) {
        const te_part part = {te_concatenation_image(op, in, out, i), row, column, channel};
        te_concatenation_part(&part, out, strip);
        row += op->along == TE_ALONG_ROWS ? part.image.rows : 0;
        column += op->along == TE_ALONG_COLUMNS ? part.image.columns : 0;
        channel += op->along == TE_ALONG_CHANNELS ? part.image.pixel_bytes : 0;
    }
}

#endif
