"""Tables and struct members that convolutions and fully connected layers share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...arith import Multiplier, wrap32
from ...errors import InternalError
from ...graph import Array, Rounding
from ...ops.scaled import ScaledOp
from ..program import ConstantArray, ParamValue
from .lowering import Params, prefixed

CHANNEL_BYTES = 12  # bias, mantissa, shift
FINISH_INSTRUCTIONS = 14  # from an accumulator to a byte in memory
NEAR = 1 << 30  # accumulators below this take the shortest rescaling


def safe_multiplier(multiplier: Multiplier, rounding: Rounding) -> Multiplier:
    """The same factor with a shift that C can execute."""
    mantissa, shift = multiplier
    if shift < -31 or not abs(mantissa) < 1 << 31:
        raise InternalError(f"multiplier {multiplier} is out of range")
    if shift <= 31:
        return multiplier
    # Shifted by 32 and more, an accumulator wraps to nothing; rounding once, it saturates.
    return Multiplier(0, 0) if rounding is Rounding.DOUBLE else Multiplier(mantissa, 31)


def rounding_name(shifts: Iterable[int], rounding: Rounding, largest: int) -> str:
    """The shortest te_rounding that these shifts allow, for accumulators up to `largest` either side."""
    if max(shifts, default=0) > -1:
        return f"TE_{rounding.name}"
    near = rounding is Rounding.DOUBLE and largest < NEAR
    return f"TE_{rounding.name}_{'NEAR' if near else 'RIGHT'}"


def largest_sum(bias: Array, weights: Array) -> int:
    """No accumulator of any input is larger; weights are [channels, depth]."""
    products = np.abs(weights.astype(np.int64)).sum(axis=1) * 128
    return int((np.abs(bias.astype(np.int64)) + products).max(initial=0))


def folded_bias(op: ScaledOp, weights: Array) -> Array:
    """Bias of each channel such that kernels may multiply raw inputs; weights are [channels, depth]."""
    return wrap32(op.bias_values() - op.x.zero_point * weights.astype(np.int64).sum(axis=1))


def channel_table(op: ScaledOp, bias: Array, function: str) -> ConstantArray:
    """Bias (as the kernel adds it), mantissa and shift of each output channel."""
    mantissas, shifts = op.multipliers()
    pairs = [safe_multiplier(Multiplier(int(m), int(s)), op.rounding) for m, s in zip(mantissas, shifts, strict=True)]
    rows = [(int(b), p.mantissa, p.shift) for b, p in zip(bias, pairs, strict=True)]
    values = np.array(rows, np.int32)
    return ConstantArray(f"{function}_channels", "int32_t", values, "bias, mantissa and shift of each channel")


def output_params(op: ScaledOp, weights: Array, table: ConstantArray) -> Params:
    """Members of te_output_t; weights are [channels, depth] as the sums see them."""
    largest = largest_sum(table.values[:, 0], weights)
    return {
        "channels": table.name,
        "zero": op.y.zero_point,
        "low": op.clamp.low,
        "high": op.clamp.high,
        "rounding": rounding_name((int(s) for s in table.values[:, 2]), op.rounding, largest),
    }


def weight_table(weights: Array, function: str, comment: str) -> ConstantArray:
    return ConstantArray(f"{function}_weights", "int8_t", weights.astype(np.int8), comment)


def matrix_params(op: ScaledOp, matrix: Array, weights: ConstantArray, table: ConstantArray) -> dict[str, ParamValue]:
    """Members of te_matrix_t; `matrix` is what the table of weights stands for."""
    channels, depth = matrix.shape
    return {
        "weights": weights.name,
        "depth": depth,
        "channels": channels,
        **prefixed("output", output_params(op, matrix, table)),
    }
