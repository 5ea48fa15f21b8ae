/* Fixed-point scaling of the accumulators of int16 layers, bit for bit as TFLite's reference kernels: a wide one
 * (64 bits) takes a mantissa of 16 bits, one of 32 bits is rescaled as in int8 layers.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_REQUANT64_H
#define TE_REQUANT64_H

#include "te_requant.h"

typedef enum { TE_WIDE, TE_NARROW_DOUBLE, TE_NARROW_SINGLE } te_rounding_16;

/* From accumulators to int16 outputs, whose zero point is 0. `channels` holds for each output channel the two
 * halves of its bias, the lower first, mantissa and shift; a wide shift is the whole way to the right. */
typedef struct {
    const int32_t *channels;
    int32_t low; /* fused activation */
    int32_t high;
    te_rounding_16 rounding;
} te_output_16_t;

/* acc * mantissa / 2^bits, ties upwards, of which the low 32 bits are kept. */
TE_INLINE int32_t te_rescale64(int64_t acc, int32_t mantissa, int32_t bits)
{
    return (int32_t)(uint32_t)(uint64_t)((acc * mantissa + ((int64_t)1 << (bits - 1))) >> bits);
}

TE_INLINE int64_t te_bias_16(const te_output_16_t *out, int32_t channel)
{
    const int32_t *values = out->channels + 4 * channel;
    return (int64_t)((uint64_t)(uint32_t)values[1] << 32 | (uint32_t)values[0]);
}

TE_INLINE int16_t te_finish_16(const te_output_16_t *out, int64_t acc, int32_t channel)
{
    const int32_t *values = out->channels + 4 * channel;
    const uint32_t narrow = (uint32_t)(uint64_t)acc;
    const int32_t value = out->rounding == TE_WIDE            ? te_rescale64(acc, values[2], values[3])
                          : out->rounding == TE_NARROW_DOUBLE ? te_rescale(narrow, values[2], values[3])
                                                              : te_rescale_single(narrow, values[2], values[3]);
    return (int16_t)te_clamp(value, out->low, out->high);
}

#endif
