/* 1x1 convolution of int16 values, any stride, no padding: te_gemm_pointwise.h, which knows nothing of what its bytes
 * are, with routines for values of 16 bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WIDE_POINTWISE_H
#define TE_WIDE_POINTWISE_H

#include "te_gemm_pointwise.h"

typedef te_gemm_pointwise_t te_wide_pointwise_t;

TE_INLINE void te_wide_pointwise(const te_wide_pointwise_t *op, te_rows in, te_rows out, te_strip run, void *scratch)
{
    te_gemm_pointwise(op, in, out, run, scratch);
}

#endif
