/* Mean over any axes of a whole tensor. Neighbouring axes of one kind are merged by the compiler of the
 * model, which leaves at most three that stay and three that go, outermost first.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_MEAN_H
#define TE_MEAN_H

#include "te_requant.h"
#include "te_rows.h"

typedef struct {
    int32_t kept[3];
    int32_t kept_step[3];
    int32_t reduced[3];
    int32_t reduced_step[3];
    te_output_t output; /* one channel: its bias takes the zero points away, its factor divides */
} te_mean_t;

TE_INLINE int8_t te_mean_value(const te_mean_t *op, const int8_t *x)
{
    uint32_t sum = te_bias(&op->output, 0);
    for (int32_t a = 0; a < op->reduced[0]; a++) {
        for (int32_t b = 0; b < op->reduced[1]; b++) {
            const int8_t *from = x + a * op->reduced_step[0] + b * op->reduced_step[1];
            for (int32_t c = 0; c < op->reduced[2]; c++, from += op->reduced_step[2]) {
                sum = te_mac(sum, *from, 1);
            }
        }
    }
    return te_finish_channel(&op->output, sum, 0);
}

TE_INLINE void te_mean(const te_mean_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    int8_t *y = (int8_t *)out.base;
    (void)strip, (void)scratch;
    for (int32_t a = 0; a < op->kept[0]; a++) {
        for (int32_t b = 0; b < op->kept[1]; b++) {
            const int8_t *x = (const int8_t *)in.base + a * op->kept_step[0] + b * op->kept_step[1];
            for (int32_t c = 0; c < op->kept[2]; c++, x += op->kept_step[2]) {
                *y++ = te_mean_value(op, x);
            }
        }
    }
}

#endif
