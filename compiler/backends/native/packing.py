"""Tables and struct members that convolutions and fully connected layers share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...arith import INT32_MAX, INT32_MIN, Multiplier, rescale, saturate, wrap32
from ...errors import InternalError
from ...graph import Array, Rounding
from ...ops.scaled import ScaledOp
from ...ops.windowed_weights import WeightedWindow
from ..program import ConstantArray, ParamValue
from .lowering import Params, prefixed

CHANNEL_BYTES = 12  # bias, mantissa, shift
FINISH_INSTRUCTIONS = 16  # from an accumulator to a byte in memory
BOUND = 1 << 30  # accumulators below this take the shorter rescaling
FAR = 64  # added to the shift of those that may not
QUARTER = Multiplier(1 << 30, -1)  # as a factor


def safe_multiplier(multiplier: Multiplier, rounding: Rounding) -> Multiplier:
    """The same factor with a shift that C can execute. Real networks have negative factors, too."""
    mantissa, shift = multiplier
    if shift < -31 or not INT32_MIN <= mantissa <= INT32_MAX:
        raise InternalError(f"multiplier {multiplier} is out of range")
    if shift <= 31:
        return multiplier
    # Shifted by 32 and more, an accumulator wraps to nothing; rounding once, it saturates.
    return Multiplier(0, 0) if rounding is Rounding.DOUBLE else Multiplier(mantissa, 31)


def kernel_shift(shift: int, rounding: Rounding, largest: int) -> int:
    """The shift as te_requant.h wants it, for accumulators up to `largest` either side."""
    return shift + FAR if rounding is Rounding.DOUBLE and shift < 0 and largest >= BOUND else shift


def rounding_name(shifts: Iterable[int], rounding: Rounding) -> str:
    """The shortest te_rounding that all these (kernel) shifts allow."""
    return f"TE_{rounding.name}{'_RIGHT' if max(shifts, default=0) <= -1 else ''}"


@dataclass(frozen=True)
class Channels:
    """Output channels as kernels want them; nothing here changes a single output."""

    weights: Array  # [channels, depth], zero points taken away
    bias: Array  # with what the input's zero point contributes
    mantissas: Array
    shifts: Array

    def table(self, function: str) -> ConstantArray:
        values = np.stack([self.bias, self.mantissas, self.shifts], axis=1).astype(np.int32)
        return ConstantArray(f"{function}_channels", "int32_t", values, "bias, mantissa and shift of each channel")


def pack_channels(op: ScaledOp, weights: Array) -> Channels:
    """Fold the zero point into the bias, settle channels that are constant, prove bounds of the others."""
    bias = wrap32(op.bias_values() - op.x.zero_point * weights.astype(np.int64).sum(axis=1))
    pairs = [Multiplier(int(m), int(s)) for m, s in zip(*op.multipliers(), strict=True)]
    factors = np.array([safe_multiplier(pair, op.rounding) for pair in pairs], np.int64).reshape(-1, 2)
    channels = _settled(op, Channels(weights.astype(np.int64), bias, factors[:, 0], factors[:, 1]))
    largest = np.abs(_extremes(channels)).max(axis=0)
    shifts = [kernel_shift(int(s), op.rounding, int(n)) for s, n in zip(channels.shifts, largest, strict=True)]
    return Channels(channels.weights, channels.bias, channels.mantissas, np.array(shifts, np.int64))


def _extremes(channels: Channels) -> Array:
    """Smallest and largest accumulator of each channel over all inputs, as if they could not wrap."""
    positive = np.maximum(channels.weights, 0).sum(axis=1)
    negative = np.minimum(channels.weights, 0).sum(axis=1)
    return np.stack([channels.bias - 128 * positive + 127 * negative, channels.bias + 127 * positive - 128 * negative])


def _settled(op: ScaledOp, channels: Channels) -> Channels:
    """Channels with the same output for every input (dead ones, in networks with ReLU6) get no weights and a
    small bias: what is left of them needs no slow path."""
    ends = _extremes(channels)
    shifted = ends << np.maximum(channels.shifts, 0)
    wraps = (np.minimum(ends, shifted).min(axis=0) < INT32_MIN) | (np.maximum(ends, shifted).max(axis=0) > INT32_MAX)
    outputs = rescale(ends, channels.mantissas, channels.shifts, op.rounding) + op.y.zero_point
    low, high = saturate(outputs, op.clamp, op.y.dtype).astype(np.int64)
    constant = (low == high) & ~wraps
    return Channels(
        np.where(constant[:, None], 0, channels.weights),
        np.where(constant, (low - op.y.zero_point) * 4, channels.bias),
        np.where(constant, QUARTER.mantissa, channels.mantissas),
        np.where(constant, QUARTER.shift, channels.shifts),
    )


def output_params(op: ScaledOp, table: ConstantArray) -> Params:
    """Members of te_output_t."""
    return {
        "channels": table.name,
        "zero": op.y.zero_point,
        "low": op.clamp.low,
        "high": op.clamp.high,
        "rounding": rounding_name((int(s) for s in table.values[:, 2]), op.rounding),
    }


def weight_table(weights: Array, function: str, comment: str) -> ConstantArray:
    return ConstantArray(f"{function}_weights", "int8_t", weights.astype(np.int8), comment)


def matrix_params(op: ScaledOp, weights: ConstantArray, table: ConstantArray) -> dict[str, ParamValue]:
    """Members of te_matrix_t; weights are [channels, depth]."""
    channels, depth = weights.values.shape
    return {
        "weights": weights.name,
        "depth": depth,
        "channels": channels,
        **prefixed("output", output_params(op, table)),
    }


def window_params(op: WeightedWindow) -> Params:
    """Members that te_conv2d_t and te_plane_t share, in their order."""
    return {
        "in_cols": op.x.image.columns,
        "in_channels": op.x.image.channels,
        "in_zero": op.x.zero_point,
        "kernel_rows": op.kernel.rows,
        "kernel_cols": op.kernel.columns,
        "stride_rows": op.stride.rows,
        "stride_cols": op.stride.columns,
        "dilation_rows": op.dilation.rows,
        "dilation_cols": op.dilation.columns,
        "pad_top": op.padding.top,
        "pad_left": op.padding.left,
    }
