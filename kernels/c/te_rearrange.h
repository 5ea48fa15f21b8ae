/* Pieces at equal distances along any axis, whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REARRANGE_H
#define TE_REARRANGE_H

#include "te_axes.h"
#include "te_copy_pixel.h"
#include "te_rows.h"

typedef struct {
    int32_t first; /* byte of the input that the output begins with */
    int32_t piece; /* bytes that stay together */
    te_axes_t axes; /* of operand a, of pieces; there is no b */
} te_rearrange_t;

/* Single bytes, four of them with one store. */
TE_INLINE int32_t te_rearrange_bytes(const int8_t *x, int8_t *y, int32_t count, int32_t step)
{
    int32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint32_t low = (uint8_t)x[i * step] | (uint32_t)(uint8_t)x[(i + 1) * step] << 8;
        const uint32_t high = (uint8_t)x[(i + 2) * step] | (uint32_t)(uint8_t)x[(i + 3) * step] << 8;
        te_store32(y + i, low | high << 16);
    }
    return i;
}

TE_INLINE void te_rearrange(const te_rearrange_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int32_t count = op->axes.size[5], step = op->axes.step_a[5];
    const int8_t *base = (const int8_t *)in.base + op->first;
    int8_t *y = (int8_t *)out.base;
    te_place place = {{0, 0, 0, 0, 0}, 0, 0};
    (void)strip, (void)scratch;
    do {
        const int8_t *x = base + place.a;
        int32_t i = op->piece == 1 ? te_rearrange_bytes(x, y, count, step) : 0;
        for (; i < count; i++) {
            te_copy_pixel(y + i * op->piece, x + i * step, op->piece);
        }
        y += count * op->piece;
    } while (te_next_line(&op->axes, &place));
}

#endif
