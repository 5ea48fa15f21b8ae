/* 1x1 convolution of any stride without padding, four pixels at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GEMM_POINTWISE_H
#define TE_GEMM_POINTWISE_H

#include "te_gemm.h"
#include "te_gemm_operands.h"
#include "te_rows.h"

typedef struct {
    int32_t in_bytes; /* of a pixel */
    int32_t out_bytes;
    int32_t turns; /* that `expand` is told */
    int32_t stride_rows;
    int32_t stride_cols;
    te_expand_routine *expand;
    te_gemm_t gemm;
} te_gemm_pointwise_t;

/* Up to three pixels that are alone: each takes all four places, so that no other is read. */
TE_COLD void te_gemm_pointwise_few(const te_gemm_pointwise_t *op, const int8_t *x, int8_t *y, int32_t count,
                                   int32_t *operands)
{
    for (; count > 0; count--, x += op->stride_cols * op->in_bytes, y += op->out_bytes) {
        op->expand(x, operands, 0, op->turns);
        te_gemm_single(&op->gemm, operands, y);
    }
}

/* Neighbours in memory. Of two or three left over, the last block computes others once more: input and
 * output share no byte. */
TE_INLINE void te_gemm_pointwise_piece(const te_gemm_pointwise_t *op, const int8_t *x, int8_t *y, int32_t count,
                                       int32_t *operands)
{
    const int32_t distance = op->stride_cols * op->in_bytes;
    while (count >= 4) {
        const int32_t left = count - 4, step = left == 2 || left == 3 ? left : 4;
        op->expand(x, operands, distance, op->turns);
        te_gemm_block(&op->gemm, operands, y);
        count -= step;
        x += step * distance;
        y += step * op->out_bytes;
    }
    if (count > 0) {
        te_gemm_pointwise_few(op, x, y, count, operands);
    }
}

/* The column behind the last of the outputs [from, to) whose inputs lie in one piece. */
TE_INLINE int32_t te_gemm_pointwise_end(te_line x, int32_t from, int32_t to, int32_t stride)
{
    return (te_piece(x, from * stride, (to - 1) * stride + 1) + stride - 1) / stride;
}

TE_INLINE void te_gemm_pointwise_pixels(const te_gemm_pointwise_t *op, te_line x, te_line y, int32_t from, int32_t to,
                                        int32_t *operands)
{
    const int32_t stride = op->stride_cols;
    for (int32_t stop; from < to; from = stop) {
        stop = te_gemm_pointwise_end(x, from, te_piece(y, from, to), stride);
        te_gemm_pointwise_piece(op, te_pixel(x, from * stride), te_pixel(y, from), stop - from, operands);
    }
}

/* Without strides it takes any run of pixels. Scratch: the operands of four pixels. */
TE_INLINE void te_gemm_pointwise(const te_gemm_pointwise_t *op, te_rows in, te_rows out, te_strip run, void *scratch)
{
    int32_t *operands = (int32_t *)scratch;
    const int32_t stride = op->stride_cols, dense = op->stride_rows == 1 && stride == 1;
    if (dense && te_is_gapless(in) && te_is_gapless(out)) {
        const int32_t count = (run.last - 1 - run.first) * out.columns + run.to - run.from;
        te_gemm_pointwise_pixels(op, te_run_of(in, run.first, run.from), te_run_of(out, run.first, run.from),
                                 run.from, run.from + count, operands);
        return;
    }
    for (int32_t row = run.first; row < run.last; row++) {
        const int32_t from = !dense || row == run.first ? run.from : 0;
        const int32_t to = !dense || row == run.last - 1 ? run.to : out.columns;
        te_gemm_pointwise_pixels(op, te_line_of(in, row * op->stride_rows, from * stride), te_line_of(out, row, from),
                                 from, to, operands);
    }
}

#endif
