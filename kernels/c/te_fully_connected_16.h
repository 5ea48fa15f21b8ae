/* Fully connected layer on int16 values; leading axes of the input are batches, each computed alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_FULLY_CONNECTED_16_H
#define TE_FULLY_CONNECTED_16_H

#include "te_dot_16.h"
#include "te_rows.h"

typedef struct {
    int32_t batches;
    te_matrix_16_t matrix;
} te_fully_connected_16_t;

TE_INLINE void te_fully_connected_16(const te_fully_connected_16_t *op, te_rows in, te_rows out, te_strip strip,
                                     void *scratch)
{
    const int16_t *x = (const int16_t *)(const void *)in.base;
    int16_t *y = (int16_t *)(void *)out.base;
    (void)strip, (void)scratch;
    for (int32_t batch = 0; batch < op->batches; batch++, x += op->matrix.depth, y += op->matrix.channels) {
        te_matrix_16(&op->matrix, x, y);
    }
}

#endif
