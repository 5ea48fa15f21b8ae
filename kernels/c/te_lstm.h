/* Long short-term memory over a sequence: 8-bit inputs and outputs, gates and cells with 16 bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_LSTM_H
#define TE_LSTM_H

#include "te_dot.h"
#include "te_lstm_cell.h"
#include "te_rows.h"

/* What the four gates (input, forget, cell, output) make of a vector. */
typedef struct {
    const int8_t *weights; /* [units][4][depth] */
    const int32_t *bias;   /* [units][4], with what the zero point of the vector contributes */
    int32_t depth;
    te_factor_t input;
    te_factor_t forget;
    te_factor_t cell;
    te_factor_t output;
} te_gates_t;

typedef struct {
    te_lstm_walk_t walk;
    te_gates_t seen;  /* of the input */
    te_gates_t heard; /* of the last output */
    te_lstm_cell_t cell;
} te_lstm_t;

TE_INLINE int32_t te_gate_value(te_factor_t factor, uint32_t acc)
{
    return te_scaled(factor, acc, INT16_MIN, INT16_MAX);
}

TE_INLINE te_gate_values te_gates(const te_gates_t *g, const int8_t *x, int32_t unit)
{
    const int32_t *bias = g->bias + 4 * unit;
    te_sums s = {(uint32_t)bias[0], (uint32_t)bias[1], (uint32_t)bias[2], (uint32_t)bias[3]};
    s = te_dot_1x4(s, x, g->weights + unit * 4 * g->depth, g->depth, g->depth);
    const te_gate_values values = {te_gate_value(g->input, s.a), te_gate_value(g->forget, s.b),
                                   te_gate_value(g->cell, s.c), te_gate_value(g->output, s.d)};
    return values;
}

/* state: the last outputs and the cells of all batches */
TE_INLINE void te_lstm(const te_lstm_t *op, te_rows in, te_rows out, te_strip strip, void *scratch, int8_t *hidden,
                       int16_t *cells)
{
    const te_lstm_walk_t *walk = &op->walk;
    (void)strip, (void)scratch;
    for (int32_t batch = 0; batch < walk->batches; batch++, hidden += walk->units, cells += walk->units) {
        const int8_t *h = hidden;
        for (int32_t time = 0; time < walk->steps; time++) {
            const int32_t vector = batch * walk->batch_step + time * walk->time_step;
            const int8_t *x = (const int8_t *)(const void *)in.base + vector * op->seen.depth;
            int8_t *y = (int8_t *)(void *)out.base + vector * walk->units;
            for (int32_t unit = 0; unit < walk->units; unit++) {
                y[unit] = (int8_t)te_lstm_cell(&op->cell, te_gates(&op->seen, x, unit), te_gates(&op->heard, h, unit),
                                               cells + unit);
            }
            h = y;
        }
        te_copy((int8_t *)hidden, (const int8_t *)h, walk->units * (int32_t)sizeof *h);
    }
}

#endif
