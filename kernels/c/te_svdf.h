/* SVDF: filters over features, then over what they have seen last, which is kept.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_SVDF_H
#define TE_SVDF_H

#include "te_filters.h"
#include "te_rows.h"
#include "te_value.h"

typedef struct {
    int32_t batches;
    int32_t memory; /* values that each filter remembers, the oldest first */
    int32_t bytes;  /* of each of these, and of its weight: 1 or 2 */
    const void *times; /* [filters][memory] */
    te_filters_t filters;
    te_units_t units;
} te_svdf_t;

/* The newest values take the places of the oldest, from which `te_svdf_remember` moves them on. */
TE_INLINE void te_svdf_see(const te_svdf_t *op, const int8_t *x, int8_t *seen)
{
    const int32_t bytes = op->bytes, most = bytes == 1 ? INT8_MAX : INT16_MAX;
    const int32_t whole = op->filters.filters - op->filters.filters % 4;
    for (int32_t filter = 0; filter < whole; filter += 4, seen += 4 * op->memory * bytes) {
        const te_seen values = te_see_4(&op->filters, x, filter, most);
        te_put(seen, 0, bytes, values.a);
        te_put(seen, op->memory, bytes, values.b);
        te_put(seen, 2 * op->memory, bytes, values.c);
        te_put(seen, 3 * op->memory, bytes, values.d);
    }
    for (int32_t filter = whole; filter < op->filters.filters; filter++, seen += op->memory * bytes) {
        te_put(seen, 0, bytes, te_see_1(&op->filters, x, filter, most));
    }
}

/* Makes everything one step older, and adds it up by the weights over time. */
TE_INLINE uint32_t te_svdf_remember(const te_svdf_t *op, uint32_t acc, int8_t *seen, const int8_t *times)
{
    const int32_t bytes = op->bytes, last = op->memory - 1, newest = te_value(seen, 0, bytes);
    for (int32_t i = 0; i < last; i++) {
        const int32_t value = te_value(seen, i + 1, bytes);
        te_put(seen, i, bytes, value);
        acc = te_mac(acc, value, te_value(times, i, bytes));
    }
    te_put(seen, last, bytes, newest);
    return te_mac(acc, newest, te_value(times, last, bytes));
}

/* state: what all filters remember */
TE_INLINE void te_svdf(const te_svdf_t *op, te_rows in, te_rows out, te_strip strip, void *scratch, void *state)
{
    const int32_t step = op->memory * op->bytes;
    int8_t *seen = (int8_t *)state;
    const int8_t *x = (const int8_t *)in.base;
    int8_t *y = (int8_t *)out.base;
    (void)strip, (void)scratch;
    for (int32_t batch = 0; batch < op->batches; batch++, x += op->filters.depth) {
        const int8_t *times = (const int8_t *)op->times;
        te_svdf_see(op, x, seen);
        for (int32_t unit = 0; unit < op->units.units; unit++) {
            uint32_t acc = (uint32_t)op->units.bias[unit];
            for (int32_t filter = 0; filter < op->units.rank; filter++, seen += step, times += step) {
                acc = te_svdf_remember(op, acc, seen, times);
            }
            *y++ = te_unit_output(&op->units, acc);
        }
    }
}

#endif
