/* Fully connected layer; leading axes of the input are batches, each computed alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_FULLY_CONNECTED_H
#define TE_FULLY_CONNECTED_H

#include "te_dot.h"
#include "te_rows.h"

typedef struct {
    int32_t batches;
    te_matrix_t matrix;
} te_fully_connected_t;

TE_INLINE void te_fully_connected(const te_fully_connected_t *op, te_rows in, te_rows out, te_strip strip,
                                  void *scratch)
{
    const int8_t *x = (const int8_t *)in.base;
    int8_t *y = (int8_t *)out.base;
    (void)strip, (void)scratch;
    for (int32_t batch = 0; batch < op->batches; batch++, x += op->matrix.depth, y += op->matrix.channels) {
        te_matrix_1(&op->matrix, x, y);
    }
}

#endif
