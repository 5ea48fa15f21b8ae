/* Sum, maximum or minimum within each row of the input, of which a pixel of the output is made.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REDUCE_ROWS_H
#define TE_REDUCE_ROWS_H

#include "te_reduce.h"
#include "te_rows.h"

/* Either the columns stay, as channels of the output, or the channels do, or neither. */
typedef struct {
    te_reduce_t reduce;
    int32_t columns_stay;
    int32_t channels_stay;
} te_reduce_rows_t;

/* Some channels of the columns [from, to). */
TE_INLINE uint32_t te_reduce_rows_value(const te_reduce_t *op, te_line x, int32_t from, int32_t to, int32_t channel,
                                        int32_t channels)
{
    uint32_t acc = te_reduce_first(op);
    for (int32_t column = from; column < to; column++) {
        acc = te_reduce_run(op, acc, te_pixel(x, column) + channel * op->bytes, channels, 1);
    }
    return acc;
}

TE_INLINE void te_reduce_rows_pixel(const te_reduce_rows_t *op, te_line x, int32_t columns, int8_t *y)
{
    const te_reduce_t *reduce = &op->reduce;
    const int32_t channels = x.pixel_bytes / reduce->bytes;
    if (op->columns_stay) {
        for (int32_t i = 0; i < columns; i++) {
            te_reduce_end(reduce, te_reduce_rows_value(reduce, x, i, i + 1, 0, channels), y, i);
        }
    } else if (op->channels_stay) {
        for (int32_t i = 0; i < channels; i++) {
            te_reduce_end(reduce, te_reduce_rows_value(reduce, x, 0, columns, i, 1), y, i);
        }
    } else {
        te_reduce_end(reduce, te_reduce_rows_value(reduce, x, 0, columns, 0, channels), y, 0);
    }
}

TE_INLINE void te_reduce_rows(const te_reduce_rows_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const te_line x = te_line_of(in, row * out.columns + column, 0);
            te_reduce_rows_pixel(op, x, in.columns, te_pixel(y, column));
        }
    }
}

#endif
