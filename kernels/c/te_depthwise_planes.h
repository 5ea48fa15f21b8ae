/* Depthwise convolution on planes: four channels at a time are copied, with their border, to planes of 32-bit words
 * that hold two neighbouring pixels; assembly made for this very shape convolves them, and may write the outputs
 * over the inputs, which have all been read. Depth multiplier 1, four channels or more.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DEPTHWISE_PLANES_H
#define TE_DEPTHWISE_PLANES_H

#include "te_planes.h"
#include "te_rows.h"
#include "te_taps.h"

typedef struct {
    te_planes_t planes;
    te_dsp_requant_t requant;
    int32_t stride_rows;
    int32_t pad_top;
    int32_t left;        /* columns of the left border, even */
    int32_t columns;     /* of the image that are copied */
    int32_t channels;
    int32_t rows;        /* of the output that the planes have room for */
    int32_t rolls;       /* computes the whole tensor in place although the planes do not hold all of it */
    int32_t border;      /* does any window reach out of the image? */
    uint32_t border_word;
    const uint32_t *stream;
    int32_t stream_words; /* of one channel */
    void (*fill)(const int8_t *pixels, uint32_t *planes, int32_t rows, int32_t step);
    void (*keep)(uint32_t *to, const uint32_t *from, int32_t rows);
    void (*sums)(const uint32_t *planes, const uint32_t *stream, int8_t *out, const te_planes_job_t *job);
} te_depthwise_planes_t;

/* Rows at a constant distance, or one row whose pixels do not lie side by side. */
typedef struct {
    te_line line;
    int32_t rows;
    int32_t cut;
} te_planes_run_t;

/* All rows that a call touches: a ring cuts them once. */
typedef struct {
    te_planes_run_t runs[4];
    int32_t count;
} te_planes_rows_t;

/* How many rows, from this one on, lie in a ring before its end: 0 if not even this one does. */
TE_INLINE int32_t te_planes_together(te_rows tensor, te_line line)
{
    const int32_t room = tensor.ring_bytes - (int32_t)(line.start - (int8_t *)tensor.base);
    const int32_t row_bytes = tensor.columns * tensor.pixel_bytes;
    return room < row_bytes ? 0 : (room - row_bytes) / tensor.row_step + 1;
}

TE_INLINE void te_planes_find(te_planes_rows_t *found, te_rows tensor, int32_t row, int32_t rows)
{
    te_line line = te_line_of(tensor, row, 0);
    found->count = 0;
    if (tensor.ring_bytes == 0) {
        const te_planes_run_t all = {line, rows, 0};
        found->runs[0] = all;
        found->count = rows > 0;
        return;
    }
    while (rows > 0 && found->count < 4) {
        const int32_t together = te_min(te_planes_together(tensor, line), rows);
        const te_planes_run_t run = {line, te_max(together, 1), together == 0};
        found->runs[found->count++] = run;
        rows -= run.rows;
        line = te_line_after(tensor, line, run.rows);
    }
}

/* Columns [from, to) of the image, of four channels, to a plane row. */
TE_INLINE void te_planes_copy(const te_depthwise_planes_t *op, te_line x, int32_t channel, uint32_t *row, int32_t from,
                              int32_t to)
{
    for (int32_t column = from; column < to; column++) {
        const int8_t *pixel = te_pixel(x, column) + channel;
        for (int32_t c = 0; c < 4; c++) {
            te_planes_put(&op->planes, row + c * op->planes.channel_words, op->left + column, pixel[c]);
        }
    }
}

/* Columns [from, to) of the output, of some channels. */
TE_INLINE void te_planes_part(const te_depthwise_planes_t *op, const uint32_t *plane, const uint32_t *stream, te_line y,
                              int32_t channel, int32_t from, int32_t to)
{
    for (; channel < op->channels; channel++, plane += op->planes.channel_words, stream += op->stream_words) {
        for (int32_t column = from; column < to; column++) {
            te_pixel(y, column)[channel] = te_planes_output(&op->planes, op->requant, plane, stream, column);
        }
        if (channel % 4 == 3) {
            return;
        }
    }
}

TE_COLD void te_planes_fill_cut(const te_depthwise_planes_t *op, te_line x, int32_t channel, uint32_t *row)
{
    te_planes_copy(op, x, channel, row, 0, op->columns);
}

TE_COLD void te_planes_sums_cut(const te_depthwise_planes_t *op, const uint32_t *plane, const uint32_t *stream,
                                te_line y, int32_t channel, int32_t columns)
{
    te_planes_part(op, plane, stream, y, channel, 0, columns);
}

TE_INLINE void te_planes_fill_rows(const te_depthwise_planes_t *op, te_rows in, const te_planes_rows_t *rows,
                                   int32_t channel, uint32_t *row)
{
    for (int32_t i = 0; i < rows->count; i++) {
        const te_planes_run_t *run = &rows->runs[i];
        if (in.wraps && run->cut) {
            te_planes_fill_cut(op, run->line, channel, row);
        } else {
            op->fill(run->line.start + channel, row + op->left / 2, run->rows, in.row_step);
        }
        row += run->rows * op->planes.row_words;
    }
}

TE_INLINE void te_planes_sums_rows(const te_depthwise_planes_t *op, te_rows out, const te_planes_rows_t *rows,
                                   int32_t channel, const uint32_t *plane)
{
    const int32_t step = op->stride_rows * op->planes.row_words;
    const uint32_t *stream = op->stream + channel * op->stream_words;
    for (int32_t i = 0; i < rows->count; i++) {
        const te_planes_run_t *run = &rows->runs[i];
        if (out.wraps && run->cut) {
            te_planes_sums_cut(op, plane, stream, run->line, channel, out.columns);
        } else {
            const te_planes_job_t job = {
                out.row_step, 4 * run->rows * step, te_min(4, op->channels - channel),
            };
            op->sums(plane, stream, run->line.start + channel, &job);
        }
        plane += run->rows * step;
    }
}

TE_INLINE void te_planes_border(const te_depthwise_planes_t *op, uint32_t *planes, int32_t rows)
{
    if (op->border) {
        for (const uint32_t *end = planes + rows * op->planes.row_words; planes != end; planes += 4) {
            planes[0] = op->border_word;
            planes[1] = op->border_word;
            planes[2] = op->border_word;
            planes[3] = op->border_word;
        }
    }
}

/* A part of a row: not what this kernel is made for. */
TE_INLINE void te_planes_columns(const te_depthwise_planes_t *op, te_rows in, te_rows out, te_strip part,
                                 uint32_t *planes)
{
    const te_planes_t *p = &op->planes;
    const int32_t top = part.first * op->stride_rows - op->pad_top, left = part.from * p->stride_cols;
    const te_taps inside = te_taps_inside(top, p->kernel_rows, 1, in.rows);
    const int32_t begin = left + p->start - op->left;
    const int32_t end = begin + (part.to - 1 - part.from) * p->stride_cols + p->kernel_cols;
    const int32_t from = te_min(te_max(begin, 0), in.columns - 1), to = te_min(end, op->columns);
    const te_line y = te_line_of(out, part.first, part.from);
    te_planes_border(op, planes, p->kernel_rows);
    for (int32_t channel = 0; channel < op->channels; channel += 4) {
        const int32_t first = te_min(channel, op->channels - 4);
        te_line x = te_line_of(in, inside.row, from);
        for (int32_t tap = inside.first; tap < inside.last; tap++, x = te_line_after(in, x, 1)) {
            te_planes_copy(op, x, first, planes + tap * p->row_words, from, to);
        }
        te_planes_part(op, planes + (channel - first) * p->channel_words, op->stream + channel * op->stream_words, y,
                       channel, part.from, part.to);
    }
}

/* Rows [row, row + rows). The last group of channels overlaps the one before; only what is left is computed. */
TE_INLINE void te_planes_strip(const te_depthwise_planes_t *op, te_rows in, te_rows out, int32_t row, int32_t rows,
                               uint32_t *planes)
{
    const te_planes_t *p = &op->planes;
    const int32_t seen = (rows - 1) * op->stride_rows + p->kernel_rows;
    const te_taps inside = te_taps_inside(row * op->stride_rows - op->pad_top, seen, 1, in.rows);
    te_planes_rows_t source, target;
    te_planes_find(&source, in, inside.row, inside.last - inside.first);
    te_planes_find(&target, out, row, rows);
    te_planes_border(op, planes, seen);
    for (int32_t channel = 0; channel < op->channels; channel += 4) {
        const int32_t first = te_min(channel, op->channels - 4);
        te_planes_fill_rows(op, in, &source, first, planes + inside.first * p->row_words);
        te_planes_sums_rows(op, out, &target, channel, planes + (channel - first) * p->channel_words);
    }
}

/* Of four channels: plane rows for the outputs [row, row + rows), below what the rows above have left. */
TE_INLINE void te_planes_go_on(const te_depthwise_planes_t *op, te_rows in, int32_t row, int32_t rows, int32_t channel,
                               uint32_t *planes)
{
    const te_planes_t *p = &op->planes;
    const int32_t kept = row > 0 ? te_max(p->kernel_rows - op->stride_rows, 0) : 0;
    const int32_t seen = (rows - 1) * op->stride_rows + p->kernel_rows - kept;
    const te_taps inside = te_taps_inside(row * op->stride_rows - op->pad_top + kept, seen, 1, in.rows);
    te_planes_rows_t source;
    if (kept > 0) {
        op->keep(planes, planes + op->rows * op->stride_rows * p->row_words, kept);
    }
    planes += kept * p->row_words;
    te_planes_border(op, planes, inside.first);
    te_planes_border(op, planes + inside.last * p->row_words, seen - inside.last);
    te_planes_find(&source, in, inside.row, inside.last - inside.first);
    te_planes_fill_rows(op, in, &source, channel, planes + inside.first * p->row_words);
}

/* The whole tensor, four channels from top to bottom after the other. Pixels are read before outputs overwrite
 * them: those that are still needed have been copied to the planes. */
TE_INLINE void te_planes_roll(const te_depthwise_planes_t *op, te_rows in, te_rows out, uint32_t *planes)
{
    const te_planes_t *p = &op->planes;
    te_planes_border(op, planes, (op->rows - 1) * op->stride_rows + p->kernel_rows);
    for (int32_t channel = 0; channel < op->channels; channel += 4) {
        const int32_t first = te_min(channel, op->channels - 4);
        for (int32_t row = 0; row < out.rows; row += op->rows) {
            const int32_t rows = te_min(op->rows, out.rows - row);
            te_planes_rows_t target;
            te_planes_go_on(op, in, row, rows, first, planes);
            te_planes_find(&target, out, row, rows);
            te_planes_sums_rows(op, out, &target, channel, planes + (channel - first) * p->channel_words);
        }
    }
}

/* Scratch: the planes of op->rows output rows. */
TE_INLINE void te_depthwise_planes(const te_depthwise_planes_t *op, te_rows in, te_rows out, te_strip strip,
                                   void *scratch)
{
    if (strip.from > 0 || strip.to < out.columns) {
        for (; strip.first < strip.last; strip.first++) {
            te_planes_columns(op, in, out, strip, (uint32_t *)scratch);
        }
        return;
    }
    if (op->rolls) {
        te_planes_roll(op, in, out, (uint32_t *)scratch);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row += op->rows) {
        te_planes_strip(op, in, out, row, te_min(op->rows, strip.last - row), (uint32_t *)scratch);
    }
}

#endif
