/* What one unit of a long short-term memory makes of its gates: its new state and its output.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_LSTM_CELL_H
#define TE_LSTM_CELL_H

#include "te_factor.h"
#include "te_sigmoid16.h"

/* Over how many vectors to walk, and how. */
typedef struct {
    int32_t batches;
    int32_t steps;
    int32_t units;
    int32_t batch_step; /* from batch to batch and from time to time, in vectors */
    int32_t time_step;
} te_lstm_walk_t;

typedef struct {
    te_factor_t kept;  /* of the state by the forget gate, */
    te_factor_t added; /* of the cell gate by the input gate, */
    te_factor_t shown; /* of the state's tanh by the output gate */
    int32_t zero;      /* zero point of the output */
    int32_t low;       /* its bounds */
    int32_t high;
    int32_t clip; /* of the state, either side */
    int32_t tanh_factor;
    int32_t tanh_shift;
    const uint16_t *sigmoids;
} te_lstm_cell_t;

/* Arguments of the gates' functions. */
typedef struct {
    int32_t input, forget, cell, output;
} te_gate_values;

TE_INLINE int32_t te_int16(int32_t value) { return te_clamp(value, INT16_MIN, INT16_MAX); }

/* (a * b) scaled, for 16-bit numbers of which one is not negative. */
TE_INLINE int32_t te_gate_product(te_factor_t factor, int32_t a, int32_t b, int32_t low, int32_t high)
{
    return te_scaled(factor, (uint32_t)(a * b), low, high);
}

TE_INLINE int32_t te_gate(const te_lstm_cell_t *c, int32_t seen, int32_t heard)
{
    return te_logistic16(c->sigmoids, 3 * te_int16(seen + heard));
}

/* The new output; `seen` comes from the input, `heard` from the last outputs. */
TE_INLINE int32_t te_lstm_cell(const te_lstm_cell_t *c, te_gate_values seen, te_gate_values heard, int16_t *cell)
{
    const int32_t candidate = te_tanh16(c->sigmoids, 3 * te_int16(seen.cell + heard.cell));
    const int32_t half = (1 << c->tanh_shift) >> 1;
    int32_t state = te_gate_product(c->kept, te_gate(c, seen.forget, heard.forget), *cell, INT16_MIN, INT16_MAX);
    state += te_gate_product(c->added, te_gate(c, seen.input, heard.input), candidate, INT16_MIN, INT16_MAX);
    state = te_clamp(te_int16(state), -c->clip, c->clip);
    *cell = (int16_t)state;
    state = te_tanh16(c->sigmoids, (state * c->tanh_factor + half) >> c->tanh_shift);
    return c->zero + te_gate_product(c->shown, te_gate(c, seen.output, heard.output), state, c->low - c->zero,
                                     c->high - c->zero);
}

#endif
