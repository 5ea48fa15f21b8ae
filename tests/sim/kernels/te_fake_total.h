/* Sums all pixels, strip by strip: what it has so far stays in its scratch between the calls. */
#ifndef TE_FAKE_TOTAL_H
#define TE_FAKE_TOTAL_H

#include "te_rows.h"

typedef struct {
    int32_t fault;
} te_fake_total_t;

TE_INLINE void te_fake_total(const te_fake_total_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    uint32_t *sums = (uint32_t *)scratch;

    (void)op;
    for (int32_t i = 0; strip.first == 0 && strip.from == 0 && i < in.pixel_bytes; i++) {
        sums[i] = 0;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line line = te_line_of(in, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            for (int32_t i = 0; i < in.pixel_bytes; i++) {
                sums[i] += (uint32_t)te_pixel(line, column)[i];
            }
        }
    }
    for (int32_t i = 0; strip.last == in.rows && strip.to == in.columns && i < in.pixel_bytes; i++) {
        te_pixel(te_line_of(out, 0, 0), 0)[i] = (int8_t)(uint8_t)sums[i];
    }
}

#endif
