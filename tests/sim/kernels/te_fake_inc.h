/* y = x + 1; on Arm through an assembly kernel, as the real ones. */
#ifndef TE_FAKE_INC_H
#define TE_FAKE_INC_H

#include "te_rows.h"

typedef struct {
    int32_t row_bytes;
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

TE_INLINE void te_fake_inc(const te_fake_inc_t *op, te_rows in, te_rows out, int32_t first, int32_t last, void *scratch)
{
    (void)scratch;
    for (int32_t row = first; row < last; row++) {
        te_fake_add_row(te_row(out, row), te_row(in, row), op->row_bytes);
    }
}

#endif
