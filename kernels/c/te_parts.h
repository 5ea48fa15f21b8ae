/* Inputs of a concatenation: tensors in memory and constants, in any order.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PARTS_H
#define TE_PARTS_H

#include "te_rows.h"

#define TE_MOST_PARTS 16

typedef enum { TE_ALONG_ROWS, TE_ALONG_COLUMNS, TE_ALONG_CHANNELS } te_along;

typedef struct {
    int32_t count;
    int32_t source[TE_MOST_PARTS]; /* which of the kernel's inputs; -1: a constant */
    int32_t start[TE_MOST_PARTS];  /* of the constant, in `constants` */
    int32_t size[TE_MOST_PARTS];   /* rows, columns or bytes of a pixel; for other axes bytes in one piece */
    const int8_t *constants;
} te_parts_t;

#endif
