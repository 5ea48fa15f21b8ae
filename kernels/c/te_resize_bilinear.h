/* An image of bytes at another size: each pixel is a weighted mean of two by two.
 *
 * SPDX-License-Identifier: Apache-2.0
 * Code that tecompile emits into your project is yours to use under any terms; see LICENSE, "Emitted code". */
#ifndef TE_RESIZE_BILINEAR_H
#define TE_RESIZE_BILINEAR_H

#include "te_bilinear.h"

typedef te_bilinear_t te_resize_bilinear_t;

TE_INLINE void te_resize_bilinear(const te_resize_bilinear_t *op, te_rows in, te_rows out, te_strip strip,
                                  void *scratch)
{
    (void)scratch;
    te_bilinear(op, in, out, strip, 1);
}

#endif
