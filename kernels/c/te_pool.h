/* What average and maximum pooling share.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_POOL_H
#define TE_POOL_H

#include "te_average.h"
#include "te_rows.h"
#include "te_value.h"

typedef struct {
    te_average_t kind;
    int32_t in_cols;
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

/* The pixels of the image that one output pixel sees; `line` is that of the top row. */
typedef struct {
    int32_t top, bottom, left, right;
    te_line line;
} te_pool_window;

/* The window's rows, for all pixels of an output row from `column` on. */
TE_INLINE te_pool_window te_pool_rows(const te_pool_t *op, te_rows in, int32_t row, int32_t column)
{
    const int32_t y = row * op->stride_rows - op->pad_top;
    const int32_t left = column * op->stride_cols - op->pad_left;
    const int32_t top = te_max(y, 0);
    const te_pool_window w = {top, te_min(y + op->kernel_rows, in.rows), 0, 0, te_line_of(in, top, te_max(left, 0))};
    return w;
}

/* And its columns. */
TE_INLINE void te_pool_columns(const te_pool_t *op, te_pool_window *w, int32_t column)
{
    const int32_t x = column * op->stride_cols - op->pad_left;
    w->left = te_max(x, 0);
    w->right = te_min(x + op->kernel_cols, op->in_cols);
}

#endif
