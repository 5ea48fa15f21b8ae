/* A border around an image: rows, columns, channels.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAD_H
#define TE_PAD_H

#include "te_copy_pixel.h"
#include "te_fill_word.h"
#include "te_rows.h"

typedef struct {
    int32_t word;  /* four bytes of the border */
    int32_t top;   /* its rows above */
    int32_t left;  /* columns before */
    int32_t front; /* and bytes of a pixel before */
} te_pad_t;

TE_INLINE void te_pad_border(const te_pad_t *op, te_line y, int32_t from, int32_t to)
{
    for (int32_t stop; from < to; from = stop) {
        stop = te_piece(y, from, to);
        te_fill_word(te_pixel(y, from), op->word, (stop - from) * y.pixel_bytes);
    }
}

/* One pixel with channels around it. */
TE_INLINE void te_pad_pixel(const te_pad_t *op, const int8_t *x, int32_t inside, int8_t *y, int32_t channels)
{
    te_fill_word(y, op->word, op->front);
    te_copy_pixel(y + op->front, x, inside);
    te_fill_word(y + op->front + inside, op->word, channels - op->front - inside);
}

TE_INLINE void te_pad_image(const te_pad_t *op, te_line x, te_line y, int32_t from, int32_t to)
{
    if (x.pixel_bytes != y.pixel_bytes) {
        for (; from < to; from++) {
            te_pad_pixel(op, te_pixel(x, from - op->left), x.pixel_bytes, te_pixel(y, from), y.pixel_bytes);
        }
        return;
    }
    for (int32_t stop; from < to; from = stop) {
        stop = te_piece(y, from, to);
        te_gather(te_pixel(y, from), x, from - op->left, stop - op->left);
    }
}

TE_INLINE void te_pad(const te_pad_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int32_t left = te_min(te_max(op->left, strip.from), strip.to);
    const int32_t right = te_max(te_min(op->left + in.columns, strip.to), left);
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line y = te_line_of(out, row, strip.from);
        if (row >= op->top && row < op->top + in.rows) {
            te_pad_border(op, y, strip.from, left);
            te_pad_image(op, te_line_of(in, row - op->top, left - op->left), y, left, right);
            te_pad_border(op, y, right, strip.to);
        } else {
            te_pad_border(op, y, strip.from, strip.to);
        }
    }
}

#endif
