/* One value of two, for two images of which each may have one row, column or channel only, which then repeats: a
 * factor for each channel, for each pixel... The output may lie on an operand of its own shape.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_IMAGE_H
#define TE_PAIR_IMAGE_H

#include "te_pair.h"
#include "te_repeat.h"

typedef struct {
    te_pair_t pair;
} te_pair_image_t;

TE_INLINE void te_pair_image(const te_pair_image_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip,
                             void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_repeat a = te_repeat_of(in, out, row, strip.from), b = te_repeat_of(in2, out, row, strip.from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_pair_run(&op->pair, te_repeat_pixel(a, column), a.step, te_repeat_pixel(b, column), b.step,
                        te_pixel(y, column), out.pixel_bytes);
        }
    }
}

#endif
