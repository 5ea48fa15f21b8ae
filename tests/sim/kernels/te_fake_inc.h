/* y = x + 1; on Arm through an assembly kernel, as the real ones. */
#ifndef TE_FAKE_INC_H
#define TE_FAKE_INC_H

#include "te_rows.h"

typedef struct {
    int32_t fault;
} te_fake_inc_t;

#if defined(__arm__)
void te_fake_add_row(int8_t *out, const int8_t *in, int32_t count);
#else
TE_INLINE void te_fake_add_row(int8_t *out, const int8_t *in, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        out[i] = (int8_t)(uint8_t)((uint8_t)in[i] + 1u);
    }
}
#endif

TE_INLINE void te_fake_inc(const te_fake_inc_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)op;
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line from = te_line_of(in, row, strip.from), to = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from, end; column < strip.to; column = end) {
            end = te_piece(to, column, strip.to);
            te_fake_add_row(te_pixel(to, column), te_pixel(from, column), (end - column) * in.pixel_bytes);
        }
    }
}

#endif
