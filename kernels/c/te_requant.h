/* Fixed-point scaling of accumulators back to 8 bits, bit for bit as TFLite's reference kernels.
 *
 * A factor is mantissa * 2^(shift - 31) with -31 <= shift <= 31. Some networks have channels with a
 * negative scale, so mantissas may be negative.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REQUANT_H
#define TE_REQUANT_H

#include "te_common.h"

/* How to round: twice or once. The _RIGHT forms are shorter, for operators whose every shift is -1 or
 * less. In both TE_DOUBLE forms such a shift also promises, as the compiler of the model has proved,
 * that its accumulators stay in [-2^30, 2^30); where it could not, 64 is added to the shift. */
typedef enum { TE_DOUBLE, TE_DOUBLE_RIGHT, TE_SINGLE, TE_SINGLE_RIGHT, TE_AWAY } te_rounding;

/* From accumulators to outputs. `channels` holds bias, mantissa and shift for each output channel; with TE_AWAY
 * bias, the upper half of a mantissa of sign and 63 bits, a shift, and the lower half. */
typedef struct {
    const int32_t *channels;
    int32_t zero; /* zero point of the output */
    int32_t low;  /* fused activation */
    int32_t high;
    te_rounding rounding;
} te_output_t;

/* round(a * b / 2^31), ties upwards; not for the square of -2^31. */
TE_INLINE int32_t te_high_mul(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* value / 2^bits for 0 <= bits <= 31, ties away from zero. */
TE_INLINE int32_t te_round_shift(int32_t value, int32_t bits)
{
    const uint32_t mask = ((uint32_t)1 << bits) - 1;
    const uint32_t half = (mask >> 1) + (value < 0 ? 1u : 0u);
    return (value >> bits) + (((uint32_t)value & mask) > half ? 1 : 0);
}

/* Rounds twice; any accumulator, any mantissa, any shift from -31 to 31. */
TE_INLINE int32_t te_rescale(uint32_t acc, int32_t mantissa, int32_t shift)
{
    const int32_t wide = (int32_t)(acc << te_max(shift, 0));
    const int32_t product = mantissa == INT32_MIN && wide == INT32_MIN ? INT32_MAX : te_high_mul(wide, mantissa);
    return te_round_shift(product, te_max(-shift, 0));
}

/* The same, and `offset` added, for shift <= -1 and accumulators in [-2^30, 2^30). Ties away from zero
 * are one less if negative, then half upwards. */
TE_INLINE int32_t te_rescale_right(uint32_t acc, int32_t mantissa, int32_t shift, int32_t offset)
{
    const int64_t twice = (int32_t)(acc << 1);
    const int32_t product = (int32_t)((twice * mantissa + ((int64_t)1 << 31)) >> 32);
    const int32_t biased = product + (product >> 31);
    return ((biased >> (-shift - 1)) + 1 + 2 * offset) >> 1;
}

/* What is left: factors of 1/2 and more, and huge accumulators. Few channels of few operators. */
TE_COLD int32_t te_rescale_rest(uint32_t acc, int32_t mantissa, int32_t shift)
{
    return te_rescale(acc, mantissa, shift > 31 ? shift - 64 : shift);
}

/* Rounds once. Results beyond 31 bits saturate there: any clamp to 8 or 16 bits gives the same. */
TE_INLINE int32_t te_rescale_single(uint32_t acc, int32_t mantissa, int32_t shift)
{
    const int64_t limit = (int64_t)1 << 30;
    int64_t value = (int64_t)(int32_t)acc * mantissa;
    if (shift < 31) {
        value = (value + ((int64_t)1 << (30 - shift))) >> (31 - shift);
    }
    return (int32_t)(value < -limit ? -limit : value > limit ? limit : value);
}

TE_INLINE int32_t te_rescale_single_right(uint32_t acc, int32_t mantissa, int32_t shift)
{
    const int64_t value = (int64_t)(int32_t)acc * mantissa + ((int64_t)1 << (30 - shift));
    return (int32_t)(value >> 32) >> (-shift - 1);
}

/* Scale, move to the output's zero point, clamp. */
TE_INLINE int32_t te_finish(const te_output_t *out, uint32_t acc, int32_t mantissa, int32_t shift)
{
    int32_t value;
    if (out->rounding == TE_DOUBLE_RIGHT || (out->rounding == TE_DOUBLE && shift < 0)) {
        return te_clamp(te_rescale_right(acc, mantissa, shift, out->zero), out->low, out->high);
    }
    if (out->rounding == TE_SINGLE_RIGHT) {
        return te_clamp(te_rescale_single_right(acc, mantissa, shift) + out->zero, out->low, out->high);
    }
    value = out->rounding == TE_DOUBLE ? te_rescale_rest(acc, mantissa, shift)
                                       : te_rescale_single(acc, mantissa, shift);
    /* In this order a value near the ends of 32 bits can't overflow. */
    return te_clamp(value, out->low - out->zero, out->high - out->zero) + out->zero;
}

/* Rounds once, ties away from zero: acc * mantissa / 2^(32 + shift), for 1 <= shift <= 62; the mantissa's
 * highest bit is its sign. */
TE_INLINE int32_t te_rescale_away(uint32_t acc, uint32_t high, uint32_t low, int32_t shift)
{
    const uint32_t sign = acc >> 31;
    const int negative = sign != high >> 31;
    const uint32_t n = sign != 0 ? 0u - acc : acc;
    const uint64_t product = (uint64_t)n * (high & 0x7FFFFFFFu) + ((uint64_t)n * low >> 32);
    const uint64_t value = (product + ((uint64_t)1 << (shift - 1))) >> shift;
    const int32_t bounded = value > 1u << 30 ? 1 << 30 : (int32_t)value;
    return negative ? -bounded : bounded;
}

/* What is known of a channel: three numbers, or four. */
TE_INLINE const int32_t *te_channel_values(const te_output_t *out, int32_t channel)
{
    return out->channels + (out->rounding == TE_AWAY ? 4 : 3) * channel;
}

TE_INLINE uint32_t te_bias(const te_output_t *out, int32_t channel)
{
    return (uint32_t)te_channel_values(out, channel)[0];
}

/* As te_finish, with the factor of an output channel. */
TE_INLINE int8_t te_finish_channel(const te_output_t *out, uint32_t acc, int32_t channel)
{
    const int32_t *values = te_channel_values(out, channel);
    if (out->rounding == TE_AWAY) {
        const int32_t value = te_rescale_away(acc, (uint32_t)values[1], (uint32_t)values[3], values[2]);
        return (int8_t)(te_clamp(value, out->low - out->zero, out->high - out->zero) + out->zero);
    }
    return (int8_t)te_finish(out, acc, values[1], values[2]);
}

/* Bias and factor of an output channel, read once where many outputs follow. */
typedef struct {
    uint32_t bias;
    int32_t mantissa;
    int32_t shift;
} te_channel;

TE_INLINE te_channel te_channel_of(const te_output_t *out, int32_t channel)
{
    const int32_t *values = out->channels + 3 * channel;
    const te_channel c = {(uint32_t)values[0], values[1], values[2]};
    return c;
}

#endif
