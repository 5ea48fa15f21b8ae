/* Pixels put together from channels of the input's, in the order of a table.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_GATHER_CHANNELS_H
#define TE_GATHER_CHANNELS_H

#include "te_copy_pixel.h"
#include "te_rows.h"

typedef struct {
    const uint16_t *places; /* of each channel of the output, that of the input */
    int32_t size;           /* bytes of a channel */
} te_gather_channels_t;

TE_INLINE void te_gather_channels(const te_gather_channels_t *op, te_rows in, te_rows out, te_strip strip,
                                  void *scratch)
{
    const int32_t channels = out.pixel_bytes / op->size;
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line from = te_line_of(in, row, strip.from);
        const te_line to = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            const int8_t *x = te_pixel(from, column);
            int8_t *y = te_pixel(to, column);
            for (int32_t i = 0; i < channels; i++) {
                te_copy_pixel(y + i * op->size, x + op->places[i] * op->size, op->size);
            }
        }
    }
}

#endif
