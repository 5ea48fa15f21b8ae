"""Factors that kernels hold one by one, for operators that scale in more than one place."""

from __future__ import annotations

import numpy as np

from ...arith import Multiplier
from ...graph import Array, Rounding
from ..program import ParamValue
from .packing import kernel_shift, rounding_name, safe_multiplier


def factor_params(name: str, multiplier: Multiplier, largest: int) -> dict[str, ParamValue]:
    """Members of a te_factor_t, for accumulators up to `largest` either side."""
    mantissa, shift = safe_multiplier(multiplier, Rounding.DOUBLE)
    shift = kernel_shift(shift, Rounding.DOUBLE, largest)
    return {
        f"{name}.mantissa": mantissa,
        f"{name}.shift": shift,
        f"{name}.rounding": rounding_name((shift,), Rounding.DOUBLE),
    }


def largest_sum(weights: Array, bias: Array, low: int, high: int) -> int:
    """That products with values of [low, high] can add up to, either side; weights are [..., depth]."""
    wide = weights.astype(np.int64)
    ends = np.stack([wide * low, wide * high])
    above, below = ends.max(axis=0).sum(axis=-1) + bias, ends.min(axis=0).sum(axis=-1) + bias
    return int(max(np.abs(above).max(initial=0), np.abs(below).max(initial=0)))
