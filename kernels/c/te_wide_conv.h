/* Convolution of int16 values with any kernel, stride, dilation and padding: te_conv_gemm.h, which knows nothing of
 * what its bytes are, with routines for values of 16 bits.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_WIDE_CONV_H
#define TE_WIDE_CONV_H

#include "te_conv_gemm.h"

typedef te_conv_gemm_t te_wide_conv_t;

TE_INLINE void te_wide_conv(const te_wide_conv_t *op, te_rows in, te_rows out, te_strip strip, void *scratch)
{
    te_conv_gemm(op, in, out, strip, scratch);
}

#endif
