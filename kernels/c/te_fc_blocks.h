/* Fully connected layer, some outputs at a time; leading axes of the input are rows, each computed alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_FC_BLOCKS_H
#define TE_FC_BLOCKS_H

#include "te_dsp_finish.h"
#include "te_gemm_operands.h"
#include "te_rows.h"

typedef void (*te_fc_expand_t)(const int8_t *x, int32_t *operands);
typedef void (*te_fc_block_t)(const int32_t *operands, const uint32_t *stream, int8_t *y,
                              const uint32_t *stream_end);

/* `expand`, `first` and `rest` are assembly made for this very shape, or their C twins below; both blocks compute
 * what the stream holds, in steps of their size. */
typedef struct {
    int32_t rows;
    int32_t inputs;
    int32_t outputs;
    int32_t first_outputs; /* that `first` computes; all, or `rest` computes the others */
    const uint32_t *stream;
    const uint32_t *rest_stream;
    const uint32_t *stream_end;
    te_fc_expand_t expand;
    te_fc_block_t first;
    te_fc_block_t rest;
} te_fc_blocks_t;

/* scratch: 8 bytes for every four inputs */
TE_INLINE void te_fc_blocks(const te_fc_blocks_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    int32_t *operands = (int32_t *)scratch;
    const int8_t *x = te_line_of(in, 0, 0).start;
    int8_t *y = te_line_of(out, 0, 0).start;
    (void)strip;
    for (int32_t row = 0; row < op->rows; row++, x += op->inputs, y += op->outputs) {
        op->expand(x, operands);
        op->first(operands, op->stream, y, op->rest_stream);
        if (op->first_outputs < op->outputs) {
            op->rest(operands, op->rest_stream, y + op->first_outputs, op->stream_end);
        }
    }
}

/* -- C twins of the assembly: same operands, same stream, same bytes ------------------------------------------ */

TE_INLINE void te_fc_expand_twin(const int8_t *x, int32_t *operands, int32_t inputs, int32_t x256)
{
    te_expand_pixel(x, operands, 1, inputs / 4, x256, inputs % 4);
}

/* One output: word `i` of its weights lies i * outputs behind the first. */
TE_INLINE uint32_t te_fc_dot(const int32_t *operands, const uint32_t *weights, int32_t groups, int32_t outputs,
                             int32_t x256, uint32_t acc)
{
    for (int32_t i = 0; i < groups; i++, operands += 2) {
        const uint32_t word = weights[i * outputs];
        acc = te_smlad(x256 ? word : te_sxtb16(word), (uint32_t)operands[0], acc);
        acc = te_smlad(te_sxtb16(x256 ? word : word >> 8 | word << 24), (uint32_t)operands[1], acc);
    }
    return acc;
}

TE_INLINE void te_fc_block_twin(const int32_t *operands, const uint32_t *stream, int8_t *y,
                                const uint32_t *stream_end, int32_t groups, int32_t outputs, int32_t x256,
                                int32_t uniform, int32_t kind, int32_t before, int32_t shift, int32_t low, int32_t high)
{
    const te_dsp_requant_t how = {(te_dsp_kind)kind, before, shift, low, high};
    const int32_t words = shift < 0 ? 3 : 2, step = uniform ? 0 : words;
    const int32_t block = outputs * (1 + groups + step) + words - step;
    for (; stream != stream_end; stream += block, y += outputs) {
        const uint32_t *weights = stream + outputs, *factors = weights + outputs * groups;
        for (int32_t i = 0; i < outputs; i++) {
            const uint32_t acc = te_fc_dot(operands, weights + i, groups, outputs, x256, stream[i]);
            y[i] = te_dsp_finish(acc, factors + i * step, how);
        }
    }
}

#endif
