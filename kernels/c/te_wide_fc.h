/* Fully connected layer on int16 values, some outputs at a time; leading axes of the input are rows, each computed
 * alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WIDE_FC_H
#define TE_WIDE_FC_H

#include "te_dsp_finish.h"
#include "te_halves.h"
#include "te_rows.h"

typedef void te_wide_fc_routine(const int8_t *x, const uint32_t *stream, int8_t *y, const uint32_t *stream_end);

/* `first` and `rest` are assembly made for this very shape, or their C twins below; both compute what the stream
 * holds, in steps of their size. */
typedef struct {
    int32_t rows;
    int32_t inputs;
    int32_t outputs;
    int32_t first_outputs; /* that `first` computes; all, or `rest` computes the others */
    const uint32_t *stream;
    const uint32_t *rest_stream;
    const uint32_t *stream_end;
    te_wide_fc_routine *first;
    te_wide_fc_routine *rest;
} te_wide_fc_t;

TE_INLINE void te_wide_fc(const te_wide_fc_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    const int8_t *x = te_line_of(in, 0, 0).start;
    int8_t *y = te_line_of(out, 0, 0).start;
    (void)strip, (void)scratch;
    for (int32_t row = 0; row < op->rows; row++, x += 2 * op->inputs, y += 2 * op->outputs) {
        op->first(x, op->stream, y, op->rest_stream);
        if (op->first_outputs < op->outputs) {
            op->rest(x, op->rest_stream, y + 2 * op->first_outputs, op->stream_end);
        }
    }
}

/* -- C twin of the assembly: same inputs, same stream, same outputs ------------------------------------------- */

/* Words of four weights, bytes w0 w2 w1 w3, `step` words apart. */
TE_INLINE uint32_t te_wide_fc_dot(const int16_t *x, const uint32_t *words, int32_t depth, int32_t step, uint32_t acc)
{
    for (int32_t k = 0; k < depth; k++) {
        const uint32_t word = words[k / 4 * step] >> (k % 2 * 16 + k / 2 % 2 * 8);
        acc = te_mac(acc, x[k], (int8_t)(uint8_t)word);
    }
    return acc;
}

TE_INLINE void te_wide_fc_twin(const int8_t *x, const uint32_t *stream, int8_t *y, const uint32_t *stream_end,
                               int32_t depth, int32_t outputs, te_dsp_kind kind, int32_t before, int32_t shift,
                               int32_t low, int32_t high)
{
    const te_dsp_requant_t how = {kind, before, shift, low, high};
    const int32_t finish_words = shift < 0 ? 3 : 2, groups = (depth + 3) / 4;
    for (; stream != stream_end; stream += outputs * (1 + groups + finish_words), y += 2 * outputs) {
        const uint32_t *words = stream + outputs, *finish = words + outputs * groups;
        for (int32_t i = 0; i < outputs; i++) {
            const int16_t *inputs = (const int16_t *)(const void *)x;
            const uint32_t acc = te_wide_fc_dot(inputs, words + i, depth, outputs, stream[i]);
            ((int16_t *)(void *)y)[i] = te_wide_finish(acc, finish + i * finish_words, how);
        }
    }
}

#endif
