/* One value of two bytes, for two tensors of one shape: the walk around assembly that takes any run of bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_PAIR_WORDS_H
#define TE_PAIR_WORDS_H

#include "te_rows.h"

/* So many bytes from any addresses; the output may lie on an operand. Some are made for one value of b only. */
typedef void (*te_pair_words_run)(const int8_t *a, const int8_t *b, int8_t *y, int32_t count,
                                  const int32_t *constants);

typedef struct {
    te_pair_words_run run;
    const int32_t *constants; /* that it keeps in registers */
} te_pair_words_t;

TE_INLINE void te_pair_words(const te_pair_words_t *op, te_rows in, te_rows in2, te_rows out, te_strip strip,
                             void *scratch)
{
    (void)scratch;
    if (te_is_flat(in, strip) && te_is_flat(in2, strip) && te_is_flat(out, strip)) {
        op->run(te_line_of(in, strip.first, 0).start, te_line_of(in2, strip.first, 0).start,
                te_line_of(out, strip.first, 0).start, (strip.last - strip.first) * out.row_step, op->constants);
        return;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line a = te_line_of(in, row, strip.from), b = te_line_of(in2, row, strip.from);
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t from = strip.from, to; from < strip.to; from = to) {
            to = te_piece(a, from, te_piece(b, from, te_piece(y, from, strip.to)));
            op->run(te_pixel(a, from), te_pixel(b, from), te_pixel(y, from), (to - from) * out.pixel_bytes,
                    op->constants);
        }
    }
}

#endif
