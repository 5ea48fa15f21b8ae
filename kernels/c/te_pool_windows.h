/* Mean or largest value of a sliding window: assembly for neighbouring windows that lie inside the image and in one
 * piece, C for the others.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POOL_WINDOWS_H
#define TE_POOL_WINDOWS_H

#include "te_average_pool.h"
#include "te_dsp_finish.h"
#include "te_max_pool.h"

enum { TE_POOL_ROWS = 6 }; /* of a window */

typedef struct {
    int32_t largest; /* or else the mean */
    void (*pool)(const int8_t *const *rows, int8_t *y, int32_t pixels, const int32_t *constants);
    const int32_t *constants; /* that it keeps in registers */
    te_pool_t window;
} te_pool_windows_t;

/* A row of outputs, and the rows of the image that it sees. */
typedef struct {
    te_line lines[TE_POOL_ROWS];
    te_line y;
    te_pool_window window;
} te_pool_row;

TE_INLINE void te_pool_outside(const te_pool_windows_t *op, te_rows in, te_pool_row *row, int32_t column)
{
    te_pool_columns(&op->window, &row->window, column);
    if (op->largest) {
        te_max_pool_pixel(&op->window, in, row->window, te_pixel(row->y, column));
    } else {
        te_average_pool_pixel(&op->window, in, row->window, te_pixel(row->y, column));
    }
}

/* The column behind the last of [from, to) whose window lies in one piece with that of `from`; `from`, if not even
 * that one does. */
TE_INLINE int32_t te_pool_piece(const te_pool_t *op, te_line line, int32_t from, int32_t to)
{
    const int32_t first = from * op->stride_cols - op->pad_left;
    const int32_t last = (to - 1) * op->stride_cols - op->pad_left + op->kernel_cols;
    const int32_t stop = te_piece(line, first, last);
    if (stop == last) {
        return to;
    }
    return stop - first < op->kernel_cols ? from : from + (stop - first - op->kernel_cols) / op->stride_cols + 1;
}

/* Columns of [from, to), whose windows lie inside the image, as long as they lie in one piece; the one behind them. */
TE_INLINE int32_t te_pool_inside(const te_pool_windows_t *op, const te_pool_row *row, int32_t from, int32_t to)
{
    const te_pool_t *w = &op->window;
    const int8_t *rows[TE_POOL_ROWS];
    int32_t stop = te_piece(row->y, from, to);
    for (int32_t i = 0; i < w->kernel_rows && from < stop; i++) {
        stop = te_pool_piece(w, row->lines[i], from, stop);
        rows[i] = te_pixel(row->lines[i], from * w->stride_cols - w->pad_left);
    }
    if (from < stop) {
        op->pool(rows, te_pixel(row->y, from), stop - from, op->constants);
    }
    return stop;
}

/* The rows of the image that an output row sees. One of them more than once changes no largest value. */
TE_INLINE void te_pool_lines(const te_pool_windows_t *op, te_rows in, te_pool_row *row)
{
    row->lines[0] = row->window.line;
    for (int32_t i = 1; i < op->window.kernel_rows; i++) {
        const int is_there = i < row->window.bottom - row->window.top;
        row->lines[i] = is_there ? te_line_after(in, row->lines[i - 1], 1) : row->lines[0];
    }
}

TE_INLINE void te_pool_windows(const te_pool_windows_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const te_pool_t *w = &op->window;
    const int32_t first = (w->pad_left + w->stride_cols - 1) / w->stride_cols;
    const int32_t behind = (w->in_cols + w->pad_left - w->kernel_cols) / w->stride_cols + 1;
    (void)scratch;
    for (int32_t number = strip.first; number < strip.last; number++) {
        te_pool_row row;
        row.y = te_line_of(out, number, strip.from);
        row.window = te_pool_rows(w, in, number, strip.from);
        te_pool_lines(op, in, &row);
        const int32_t is_full = row.window.bottom - row.window.top == w->kernel_rows;
        const int32_t last = op->largest || is_full ? te_min(behind, strip.to) : 0;
        for (int32_t column = strip.from, stop; column < strip.to; column = stop) {
            stop = first <= column && column < last ? te_pool_inside(op, &row, column, last) : column;
            if (stop == column) {
                te_pool_outside(op, in, &row, column);
                stop++;
            }
        }
    }
}

/* -- C twin of the assembly: same constants, same bytes --------------------------------------------------------- */

TE_INLINE int32_t te_pool_larger(const int8_t *const *rows, int32_t at, int32_t channels, int32_t count,
                                 int32_t columns)
{
    int32_t most = -128;
    for (int32_t i = 0; i < count * columns; i++) {
        most = te_max(most, rows[i / columns][at + i % columns * channels]);
    }
    return most;
}

TE_INLINE int32_t te_pool_sum(const int8_t *const *rows, int32_t at, int32_t channels, int32_t count, int32_t columns)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < count * columns; i++) {
        sum += rows[i / columns][at + i % columns * channels];
    }
    return sum;
}

/* `shift` is negative for the largest value. */
TE_INLINE void te_pool_windows_twin(const int8_t *const *rows, int8_t *y, int32_t pixels, const int32_t *constants,
                                    int32_t channels, int32_t count, int32_t columns, int32_t stride, int32_t shift,
                                    int32_t low, int32_t high)
{
    for (int32_t i = 0; i < pixels * channels; i++) {
        const int32_t at = i / channels * stride * channels + i % channels;
        if (shift < 0) {
            y[i] = (int8_t)te_clamp(te_pool_larger(rows, at, channels, count, columns), low, high);
        } else {
            const int64_t sum = te_pool_sum(rows, at, channels, count, columns);
            y[i] = (int8_t)te_clamp(((int32_t)(sum * constants[0] >> 16) + constants[1]) >> shift, low, high);
        }
    }
}

#endif
