/* Depthwise convolution of int16 values, any strip. The inputs of an output pixel are gathered in scratch, the
 * border as zeros (2 bytes for each tap of each channel).
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_DEPTHWISE_16_H
#define TE_DEPTHWISE_16_H

#include "te_requant64.h"
#include "te_window.h"

typedef struct {
    te_window_t window;
    const int8_t *weights; /* [out channels][kernel_rows][kernel_cols] */
    int32_t channels;      /* of the input */
    int32_t multiplier;    /* output channels per input channel */
    te_output_16_t output;
} te_depthwise_16_t;

/* One value of the output; the taps lie `channels` values apart. */
TE_INLINE int16_t te_depthwise_16_value(const te_depthwise_16_t *op, const int16_t *x, int32_t channel)
{
    const int32_t taps = op->window.kernel_rows * op->window.kernel_cols;
    const int8_t *w = op->weights + channel * taps;
    int64_t sum = te_bias_16(&op->output, channel);
    TE_UNROLL
    for (int32_t tap = 0; tap < taps; tap++) {
        sum += (int64_t)x[tap * op->channels] * w[tap];
    }
    return te_finish_16(&op->output, sum, channel);
}

TE_INLINE void te_depthwise_16_pixel(const te_depthwise_16_t *op, const int16_t *x, int16_t *y)
{
    for (int32_t channel = 0; channel < op->channels; channel++) {
        for (int32_t k = 0; k < op->multiplier; k++) {
            *y++ = te_depthwise_16_value(op, x + channel, channel * op->multiplier + k);
        }
    }
}

TE_INLINE void te_depthwise_16(const te_depthwise_16_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const te_window_t *window = &op->window;
    for (int32_t row = strip.first; row < strip.last; row++) {
        const te_taps inside = te_window_inside(window, in, te_window_top(window, row));
        const te_line x = te_line_of(in, inside.row, te_max(te_window_left(window, strip.from), 0));
        const te_line y = te_line_of(out, row, strip.from);
        for (int32_t column = strip.from; column < strip.to; column++) {
            te_window_gather(window, in, x, inside, column, (int8_t *)scratch);
            te_depthwise_16_pixel(op, (const int16_t *)scratch, (int16_t *)(void *)te_pixel(y, column));
        }
    }
}

#endif
