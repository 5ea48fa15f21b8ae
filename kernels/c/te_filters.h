/* What the filters of an SVDF layer make of one input, and what its units make of all that they remember.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_FILTERS_H
#define TE_FILTERS_H

#include "te_dot.h"
#include "te_factor.h"

typedef struct {
    const int8_t *weights; /* [filters][depth] */
    const int32_t *bias;   /* what the zero point of the input contributes */
    int32_t depth;
    int32_t filters;
    int32_t zero; /* zero point of what is remembered */
    te_factor_t factor;
} te_filters_t;

typedef struct {
    const int32_t *bias; /* with what the zero point of the memory contributes */
    int32_t units;
    int32_t rank; /* filters of each unit */
    int32_t zero; /* zero point of the output */
    te_factor_t factor;
} te_units_t;

typedef struct {
    int32_t a, b, c, d;
} te_seen;

TE_INLINE int32_t te_filtered(const te_filters_t *f, uint32_t acc, int32_t high)
{
    return te_scaled(f->factor, acc, -high - 1, high) + f->zero;
}

/* Of four filters. */
TE_INLINE te_seen te_see_4(const te_filters_t *f, const int8_t *x, int32_t filter, int32_t high)
{
    const int32_t *bias = f->bias + filter;
    te_sums s = {(uint32_t)bias[0], (uint32_t)bias[1], (uint32_t)bias[2], (uint32_t)bias[3]};
    s = te_dot_1x4(s, x, f->weights + filter * f->depth, f->depth, f->depth);
    const te_seen seen = {te_filtered(f, s.a, high), te_filtered(f, s.b, high), te_filtered(f, s.c, high),
                          te_filtered(f, s.d, high)};
    return seen;
}

TE_INLINE int32_t te_see_1(const te_filters_t *f, const int8_t *x, int32_t filter, int32_t high)
{
    return te_filtered(f, te_dot_1x1((uint32_t)f->bias[filter], x, f->weights + filter * f->depth, f->depth), high);
}

TE_INLINE int8_t te_unit_output(const te_units_t *u, uint32_t acc)
{
    return (int8_t)(te_scaled(u->factor, acc, -128 - u->zero, 127 - u->zero) + u->zero);
}

#endif
