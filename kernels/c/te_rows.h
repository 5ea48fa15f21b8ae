/* A tensor in memory, as rows: all of them, or a ring that holds only the latest.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_ROWS_H
#define TE_ROWS_H

#include "te_common.h"

typedef struct {
    uint8_t *base;
    int32_t row_bytes; /* from one slot to the next */
    int32_t slots;     /* row r lies in slot r modulo slots */
    int32_t rows;      /* of the whole tensor */
} te_rows;

/* With constants this is a multiplication, or for a ring one division per row. */
TE_INLINE int8_t *te_row(te_rows tensor, int32_t row)
{
    const int32_t slot = tensor.slots == tensor.rows ? row : row % tensor.slots;
    return (int8_t *)tensor.base + slot * tensor.row_bytes;
}

/* Do rows of `bytes` bytes follow each other without gaps? Then a strip of them is one long row. */
TE_INLINE int te_is_flat(te_rows tensor, int32_t bytes)
{
    return tensor.slots == tensor.rows && tensor.row_bytes == bytes;
}

#endif
