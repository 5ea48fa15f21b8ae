/* Which pixels an image at another size is interpolated from, and how they weigh.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_BILINEAR_H
#define TE_BILINEAR_H

#include "te_rows.h"
#include "te_value.h"

#define TE_WEIGHTS 1024 /* of two neighbours together */

/* Two numbers for each row and each column of the output: the first of the input that it sees, and the weight of the
 * one after it. If that is 0, the one after it may not be there. */
typedef struct {
    const uint16_t *rows;
    const uint16_t *columns;
    int32_t ties_up; /* or else away from zero */
} te_bilinear_t;

typedef struct {
    const int8_t *first;
    const int8_t *second;
    int32_t weight; /* of the second */
} te_bilinear_pair;

TE_INLINE te_bilinear_pair te_bilinear_pixels(te_line line, const uint16_t *tap)
{
    const int32_t column = tap[0];
    const te_bilinear_pair pair = {te_pixel(line, column), te_pixel(line, column + (tap[1] != 0)), tap[1]};
    return pair;
}

#endif
