/* What average and maximum pooling share.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POOL_H
#define TE_POOL_H

#include "te_rows.h"

typedef struct {
    int32_t in_cols;
    int32_t out_cols;
    int32_t channels;
    int32_t kernel_rows;
    int32_t kernel_cols;
    int32_t stride_rows;
    int32_t stride_cols;
    int32_t pad_top;
    int32_t pad_left;
    int32_t low; /* fused activation */
    int32_t high;
} te_pool_t;

/* The pixels of the image that one output pixel sees. */
typedef struct {
    int32_t top, bottom, left, right;
} te_pool_window;

TE_INLINE te_pool_window te_pool_at(const te_pool_t *op, te_rows in, int32_t row, int32_t column)
{
    const int32_t y = row * op->stride_rows - op->pad_top;
    const int32_t x = column * op->stride_cols - op->pad_left;
    const te_pool_window w = {te_max(y, 0), te_min(y + op->kernel_rows, in.rows), te_max(x, 0),
                              te_min(x + op->kernel_cols, op->in_cols)};
    return w;
}

#endif
