/* Logarithm of a softmax over the last axis, in TFLite's 32-bit fixed point. The exponentials of all differences to
 * the largest value are a table.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_LOG_SOFTMAX_H
#define TE_LOG_SOFTMAX_H

#include "te_requant.h"
#include "te_rows.h"

typedef struct {
    const int32_t *exponentials; /* exp(-scale * i), Q12.19 */
    int32_t alive;               /* from this difference on they count as zero */
    int32_t mantissa;            /* from a difference to Q5.26 */
    int32_t shift;
    int32_t back_mantissa; /* and back */
    int32_t back_shift;
    int32_t groups; /* per pixel */
    int32_t depth;  /* values in each */
} te_log_softmax_t;

/* 1 / (1 + fraction) for 0 <= fraction < 1, Q0.31: three steps of Newton in Q2.29. */
TE_INLINE int32_t te_log_reciprocal(int32_t fraction)
{
    const int32_t half = (int32_t)(((uint32_t)fraction + 0x80000000u) >> 1);
    int32_t x = 1515870810 + te_high_mul(half, -1010580540); /* 48/17 - 32/17 * half */
    for (int32_t i = 0; i < 3; i++) {
        x += te_high_mul(x, (1 << 29) - te_high_mul(half, x)) * 4;
    }
    return x >= 1 << 30 ? INT32_MAX : x * 2;
}

/* log of a number near r = (1/2)^(1/4), relative to it, as Q6.25: a rational function of the distance. */
TE_INLINE int32_t te_log_fraction(int32_t value)
{
    const int32_t centre = 1805811301;
    const int32_t middle = (int32_t)(((uint32_t)value + (uint32_t)centre + 1) >> 1);
    const int32_t distance = (value - centre) * 2;
    const int32_t square = te_high_mul(distance, distance);
    const int32_t above =
        te_high_mul(distance, value) + te_high_mul(te_high_mul(distance, square), 117049297);
    const int32_t bracket = 1057819769 + distance + te_high_mul(square, 127690142);
    const int32_t below = te_high_mul(middle, bracket) + te_high_mul(distance, 638450708);
    return te_high_mul(te_round_shift(above, 6), te_log_reciprocal(below));
}

TE_INLINE int32_t te_log_headroom(int32_t value)
{
    int32_t bits = 0;
    while (value < 1 << 30) {
        value *= 2;
        bits++;
    }
    return bits;
}

/* log of a number >= 1 in Q12.19, as Q5.26. Its fraction is taken as it is, or times sqrt(1/2). */
TE_INLINE int32_t te_log(int32_t value)
{
    const int32_t root = 1518500250; /* sqrt(1/2) */
    const int32_t headroom = te_log_headroom(value), other = te_log_headroom(te_high_mul(value, root));
    const int32_t low = te_min(te_high_mul(value * (1 << headroom), root), (1 << 30) - 1) * 2;
    const int32_t high = value > INT32_MAX >> other ? INT32_MAX : value * (1 << other);
    const int32_t power = te_max((11 - headroom) * (1 << 25) + (1 << 23), (12 - other) * (1 << 25) - (1 << 23));
    const int32_t log = te_high_mul(power, 1488522236) + te_log_fraction(te_min(low, high));
    return log >= 1 << 30 ? INT32_MAX : log * 2;
}

TE_INLINE void te_log_softmax_group(const te_log_softmax_t *op, const int8_t *x, int8_t *y)
{
    int32_t largest = -128;
    int32_t total = 0;
    for (int32_t i = 0; i < op->depth; i++) {
        largest = te_max(largest, x[i]);
    }
    for (int32_t i = 0; i < op->depth; i++) {
        if (largest - x[i] < op->alive) {
            total += op->exponentials[largest - x[i]];
        }
    }
    const int32_t log = te_log(total);
    const int32_t furthest =
        te_max(-op->alive, te_rescale((uint32_t)log + 0x80000000u, op->back_mantissa, op->back_shift));
    for (int32_t i = 0; i < op->depth; i++) {
        const int32_t difference = x[i] - largest;
        int32_t value = -128;
        if (difference > furthest) {
            value = te_rescale((uint32_t)difference, op->mantissa, op->shift) - log;
            value = te_clamp(te_round_shift(value, 22) + 127, -128, 127);
        }
        y[i] = (int8_t)value;
    }
}

TE_INLINE void te_log_softmax(const te_log_softmax_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    (void)scratch;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_line from = te_line_of(in, row, strip.from), to = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            for (int32_t group = 0; group < op->groups; group++) {
                te_log_softmax_group(op, te_pixel(from, column) + group * op->depth,
                                     te_pixel(to, column) + group * op->depth);
            }
        }
    }
}

#endif
