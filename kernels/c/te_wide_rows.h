/* Fully connected layer on int16 values with many rows, four at a time: they are the pixels of a 1x1 convolution.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WIDE_ROWS_H
#define TE_WIDE_ROWS_H

#include "te_gemm_pointwise.h"

typedef struct {
    int32_t rows;
    te_gemm_pointwise_t pixels;
} te_wide_rows_t;

/* Scratch: the operands of four rows. */
TE_INLINE void te_wide_rows(const te_wide_rows_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)strip;
    te_gemm_pointwise_piece(&op->pixels, te_line_of(in, 0, 0).start, te_line_of(out, 0, 0).start, op->rows,
                            (int32_t *)scratch);
}

#endif
