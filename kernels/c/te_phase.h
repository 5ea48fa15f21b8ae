/* Transposed convolution, seen from its output: which taps reach a pixel depends on its place modulo the stride.
 * The weights of each such phase are a small kernel of their own.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PHASE_H
#define TE_PHASE_H

#include "te_window.h"

/* Of a row or a column of the output: its phase, and the last input whose taps reach it. */
typedef struct {
    int32_t phase;
    int32_t last;
} te_phase;

/* `place` counts from the first output that any tap could reach. */
TE_INLINE te_phase te_phase_of(int32_t place, int32_t stride)
{
    const te_phase found = {place % stride, place / stride};
    return found;
}

TE_INLINE te_phase te_phase_next(te_phase p, int32_t stride)
{
    const te_phase next = {p.phase + 1, p.last}, first = {0, p.last + 1};
    return next.phase < stride ? next : first;
}

/* Of `taps` taps: how many belong to the phase, and how many to those before it. */
TE_INLINE int32_t te_phase_taps(te_phase p, int32_t taps, int32_t stride)
{
    return taps / stride + (p.phase < taps % stride ? 1 : 0);
}

TE_INLINE int32_t te_phase_before(te_phase p, int32_t taps, int32_t stride)
{
    return taps / stride * p.phase + te_min(taps % stride, p.phase);
}

/* What one row of the output sees, to be computed from left to right. */
typedef struct {
    te_window_t window; /* of the phase, as a convolution of stride 1 whose columns are the input's */
    te_taps inside;
    te_line x;
    te_phase row;
    te_phase column;
} te_phase_row;

TE_INLINE te_phase_row te_phase_row_of(const te_window_t *op, te_rows in, int32_t row, int32_t from)
{
    te_phase_row r = {*op, {0, 0, 0}, {0, 0, 0, 0, 0}, {0, 0}, {0, 0}};
    r.row = te_phase_of(row + op->pad_top, op->stride_rows);
    r.column = te_phase_of(from + op->pad_left, op->stride_cols);
    r.window.kernel_rows = te_phase_taps(r.row, op->kernel_rows, op->stride_rows);
    r.window.stride_cols = 1;
    r.window.pad_left = 0;
    r.inside = te_window_inside(&r.window, in, r.row.last - r.window.kernel_rows + 1);
    r.x = te_line_of(in, r.inside.row, te_max(r.column.last - (op->kernel_cols - 1) / op->stride_cols, 0));
    return r;
}

/* Gathers the inputs of the pixel in `column`, and tells how many taps there are. */
TE_INLINE int32_t te_phase_gather(const te_window_t *op, te_rows in, te_phase_row *r, int8_t *patch)
{
    r->window.kernel_cols = te_phase_taps(r->column, op->kernel_cols, op->stride_cols);
    te_window_gather(&r->window, in, r->x, r->inside, r->column.last - r->window.kernel_cols + 1, patch);
    return r->window.kernel_rows * r->window.kernel_cols;
}

/* How many taps come before those of the pixel in `column`, in the order of the packed weights. */
TE_INLINE int32_t te_phase_taps_before(const te_window_t *op, const te_phase_row *r)
{
    return te_phase_before(r->row, op->kernel_rows, op->stride_rows) * op->kernel_cols +
           r->window.kernel_rows * te_phase_before(r->column, op->kernel_cols, op->stride_cols);
}

#endif
