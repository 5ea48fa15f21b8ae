/* SVDF: filters over features, then over what they have seen last, which is kept with 8 bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SVDF_H
#define TE_SVDF_H

#include "te_filters.h"
#include "te_rows.h"

typedef struct {
    int32_t batches;
    int32_t memory; /* values that each filter remembers, the oldest first */
    const int8_t *times; /* [filters][memory] */
    te_filters_t filters;
    te_units_t units;
} te_svdf_t;

/* The newest values take the places of the oldest, from which `te_svdf_remember` moves them on. */
TE_INLINE void te_svdf_see(const te_svdf_t *op, const int8_t *x, int8_t *seen)
{
    const int32_t whole = op->filters.filters - op->filters.filters % 4;
    for (int32_t filter = 0; filter < whole; filter += 4, seen += 4 * op->memory) {
        const te_seen values = te_see_4(&op->filters, x, filter, INT8_MAX);
        seen[0] = (int8_t)values.a;
        seen[op->memory] = (int8_t)values.b;
        seen[2 * op->memory] = (int8_t)values.c;
        seen[3 * op->memory] = (int8_t)values.d;
    }
    for (int32_t filter = whole; filter < op->filters.filters; filter++, seen += op->memory) {
        seen[0] = (int8_t)te_see_1(&op->filters, x, filter, INT8_MAX);
    }
}

/* Makes everything one step older, and adds it up by the weights over time. */
TE_INLINE uint32_t te_svdf_remember(uint32_t acc, int8_t *seen, const int8_t *times, int32_t memory)
{
    const int8_t newest = seen[0];
    for (int32_t i = 0; i < memory - 1; i++) {
        seen[i] = seen[i + 1];
        acc = te_mac(acc, seen[i], times[i]);
    }
    seen[memory - 1] = newest;
    return te_mac(acc, newest, times[memory - 1]);
}

/* state: what all filters remember */
TE_INLINE void te_svdf(const te_svdf_t *op, te_rows in, te_rows out, te_strip strip, void *scratch, int8_t *seen)
{
    const int8_t *x = (const int8_t *)in.base;
    int8_t *y = (int8_t *)out.base;
    (void)strip, (void)scratch;
    for (int32_t batch = 0; batch < op->batches; batch++, x += op->filters.depth) {
        const int8_t *times = op->times;
        te_svdf_see(op, x, seen);
        for (int32_t unit = 0; unit < op->units.units; unit++) {
            uint32_t acc = (uint32_t)op->units.bias[unit];
            for (int32_t filter = 0; filter < op->units.rank; filter++, seen += op->memory, times += op->memory) {
                acc = te_svdf_remember(acc, seen, times, op->memory);
            }
            *y++ = te_unit_output(&op->units, acc);
        }
    }
}

#endif
