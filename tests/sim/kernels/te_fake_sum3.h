/* Sums three rows, and misbehaves on demand: the faults of tests/sim/fake.py. */
#ifndef TE_FAKE_SUM3_H
#define TE_FAKE_SUM3_H

#include "te_rows.h"

typedef struct {
    int32_t fault;
} te_fake_sum3_t;

enum { TE_NOTHING, TE_STRAY_WRITE, TE_BYTE_TOO_FAR, TE_HANG, TE_DEEP_STACK, TE_UNALIGNED, TE_KEEPS_SCRATCH, TE_WRONG_VALUE };

TE_NOINLINE static void te_fake_deep(int8_t *out)
{
    volatile uint8_t deep[1000];

    deep[0] = 1;
    deep[999] = deep[0];
    *out = (int8_t)(*out + deep[999] - 1);
}

TE_INLINE void te_fake_misbehave(int32_t fault, int8_t *out, int32_t row, int32_t count)
{
    switch (fault) {
    case TE_STRAY_WRITE:
        *(volatile uint32_t *)(uintptr_t)0x5A5A0000u = 1;
        break;
    case TE_BYTE_TOO_FAR:
        out[count] = (int8_t)(out[count] + 1);
        break;
    case TE_HANG:
        for (;;) {
            *(volatile int8_t *)out = 0;
        }
    case TE_DEEP_STACK:
        te_fake_deep(out);
        break;
    case TE_WRONG_VALUE:
        out[5] = (int8_t)(row == 4 ? out[5] ^ 1 : out[5]);
        break;
#if defined(__arm__)
    case TE_UNALIGNED:
        __asm__ volatile("ldrd r2, r3, [%0]" ::"r"((uintptr_t)out | 1) : "r2", "r3", "memory");
        break;
#endif
    default:
        break;
    }
}

TE_INLINE void te_fake_sum3(const te_fake_sum3_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    uint8_t *kept = (uint8_t *)scratch;

    if (op->fault != TE_KEEPS_SCRATCH || strip.first == 0) {
        kept[0] = 0;
    }
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line to = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            for (int32_t i = 0; i < out.pixel_bytes; i++) {
                uint32_t sum = kept[0] + (uint32_t)te_pixel(te_line_of(in, row, strip.from), column)[i];
                sum += row > 0 ? (uint32_t)te_pixel(te_line_of(in, row - 1, strip.from), column)[i] : 0;
                sum += row + 1 < in.rows ? (uint32_t)te_pixel(te_line_of(in, row + 1, strip.from), column)[i] : 0;
                te_pixel(to, column)[i] = (int8_t)(uint8_t)sum;
            }
        }
        te_fake_misbehave(op->fault, te_pixel(to, strip.from), row, (strip.to - strip.from) * out.pixel_bytes);
    }
}

#endif
