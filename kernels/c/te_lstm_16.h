/* Long short-term memory over a sequence: 16-bit inputs and outputs, sums of 64 bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_LSTM_16_H
#define TE_LSTM_16_H

#include "te_dot_16.h"
#include "te_lstm_cell.h"
#include "te_rows.h"

/* The channels of both matrices are the gates (input, forget, cell, output) of all units. */
typedef struct {
    te_lstm_walk_t walk;
    te_matrix_16_t seen;  /* of the input */
    te_matrix_16_t heard; /* of the last output */
    te_lstm_cell_t cell;
} te_lstm_16_t;

TE_INLINE te_gate_values te_gates_16(const te_matrix_16_t *m, const int16_t *x, int32_t unit)
{
    const te_output_16_t *out = &m->output;
    const int8_t *w = m->weights + unit * 4 * m->depth;
    const int32_t first = 4 * unit;
    te_sums_16 s = {te_bias_16(out, first), te_bias_16(out, first + 1)};
    te_sums_16 t = {te_bias_16(out, first + 2), te_bias_16(out, first + 3)};
    s = te_dot_16_2(s, x, w, m->depth, m->depth);
    t = te_dot_16_2(t, x, w + 2 * m->depth, m->depth, m->depth);
    const te_gate_values values = {te_finish_16(out, s.a, first), te_finish_16(out, s.b, first + 1),
                                   te_finish_16(out, t.a, first + 2), te_finish_16(out, t.b, first + 3)};
    return values;
}

/* state: the last outputs and the cells of all batches */
TE_INLINE void te_lstm_16(const te_lstm_16_t *op, te_rows in, te_rows out, te_strip strip, void *scratch,
                         int16_t *hidden, int16_t *cells)
{
    const te_lstm_walk_t *walk = &op->walk;
    (void)strip, (void)scratch;
    for (int32_t batch = 0; batch < walk->batches; batch++, hidden += walk->units, cells += walk->units) {
        const int16_t *h = hidden;
        for (int32_t time = 0; time < walk->steps; time++) {
            const int32_t vector = batch * walk->batch_step + time * walk->time_step;
            const int16_t *x = (const int16_t *)(const void *)in.base + vector * op->seen.depth;
            int16_t *y = (int16_t *)(void *)out.base + vector * walk->units;
            for (int32_t unit = 0; unit < walk->units; unit++) {
                const te_gate_values seen = te_gates_16(&op->seen, x, unit);
                const te_gate_values heard = te_gates_16(&op->heard, h, unit);
                y[unit] = (int16_t)te_lstm_cell(&op->cell, seen, heard, cells + unit);
            }
            h = y;
        }
        te_copy((int8_t *)hidden, (const int8_t *)h, walk->units * (int32_t)sizeof *h);
    }
}

#endif
