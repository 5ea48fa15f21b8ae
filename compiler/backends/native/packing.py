"""Tables and struct members that convolutions and fully connected layers share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ...arith import INT32_MAX, INT32_MIN, Multiplier, saturate, wrap32
from ...errors import InternalError
from ...graph import Array, DType, Rounding
from ...ops.scaled import ScaledOp
from ...ops.windowed_weights import WeightedWindow
from ..program import ConstantArray, ParamValue
from .away import away_multipliers
from .lowering import Params, prefixed

CHANNEL_BYTES = 12  # bias, mantissa, shift
WIDE_CHANNEL_BYTES = 16
FINISH_WIDE_INSTRUCTIONS = 40
PER_WIDE_MAC = 3.0
PER_SUMMED_BYTE = 3.2  # where the weights keep a zero point
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
    low_mantissas: Array | None = None  # of those that need more than 32 bits

    @property
    def extremes(self) -> Array:
        """Smallest and largest accumulator of each channel over all inputs, as if they could not wrap."""
        positive = np.maximum(self.weights, 0).sum(axis=1)
        negative = np.minimum(self.weights, 0).sum(axis=1)
        return np.stack([self.bias - 128 * positive + 127 * negative, self.bias + 127 * positive - 128 * negative])

    @property
    def values(self) -> Array:
        columns = [self.bias, self.mantissas, self.shifts]
        columns += [] if self.low_mantissas is None else [self.low_mantissas]
        return (np.stack(columns, axis=1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)

    def table(self, function: str) -> ConstantArray:
        return channel_table(function, self.values, "bias, mantissa and shift of each channel")


def channel_table(function: str, values: Array, comment: str) -> ConstantArray:
    return ConstantArray(f"{function}_channels", "int32_t", values, comment)


def pack_channels(op: ScaledOp, weights: Array) -> Channels:
    """Fold the zero point into the bias, settle channels that are constant, prove bounds of the others."""
    if op.rounding is Rounding.AWAY:
        bias = wrap32(op.bias_values() - op.x.zero_point * weights.astype(np.int64).sum(axis=1))
        return Channels(weights, bias, *away_multipliers(np.array(op.factors()), op.y, op.clamp))
    channels = settled_channels(op, weights)
    largest = np.abs(channels.extremes).max(axis=0)
    shifts = [kernel_shift(int(s), op.rounding, int(n)) for s, n in zip(channels.shifts, largest, strict=True)]
    return replace(channels, shifts=np.array(shifts, np.int64))


def settled_channels(op: ScaledOp, weights: Array) -> Channels:
    """Bias and factors as they are, but for channels that are constant."""
    bias = wrap32(op.bias_values() - op.x.zero_point * weights.astype(np.int64).sum(axis=1))
    pairs = [Multiplier(int(m), int(s)) for m, s in zip(*op.multipliers(), strict=True)]
    factors = np.array([safe_multiplier(pair, op.rounding) for pair in pairs], np.int64).reshape(-1, 2)
    return _settled(op, Channels(weights.astype(np.int64), bias, factors[:, 0], factors[:, 1]))


def _settled(op: ScaledOp, channels: Channels) -> Channels:
    """Channels with the same output for every input (dead ones, in networks with ReLU6) get no weights and a
    small bias: what is left of them needs no slow path."""
    ends = channels.extremes
    shifted = ends << np.maximum(channels.shifts, 0)
    wraps = (np.minimum(ends, shifted).min(axis=0) < INT32_MIN) | (np.maximum(ends, shifted).max(axis=0) > INT32_MAX)
    outputs = op.scaled(ends) + op.y.zero_point
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
    away = op.rounding is Rounding.AWAY
    return {
        "channels": table.name,
        "zero": op.y.zero_point,
        "low": op.clamp.low,
        "high": op.clamp.high,
        "rounding": "TE_AWAY" if away else rounding_name((int(s) for s in table.values[:, 2]), op.rounding),
    }


def differences(op: ScaledOp) -> Array:
    """The weights, their zero point taken away: more than 8 bits, where it is not 0."""
    return op.weight_values().astype(np.int64) - op.weights.zero_point


def kept_zero(op: ScaledOp, weights: Array) -> int:
    """The zero point that kernels have to take away: 0, if what is left of the weights fits 8 bits."""
    fits = weights.min(initial=0) >= -128 and weights.max(initial=0) <= 127
    return 0 if fits else op.weights.zero_point


def weight_bytes(op: ScaledOp) -> int:
    four = op.x.dtype is DType.INT16 or op.rounding is Rounding.AWAY
    return op.weights.nbytes + (WIDE_CHANNEL_BYTES if four else CHANNEL_BYTES) * op.channels


def summed_instructions(op: ScaledOp, seen: float) -> float:
    """To sum the inputs that all output pixels see, where the weights' zero point may stay."""
    return PER_SUMMED_BYTE * seen if op.weights.zero_point else 0


def weight_table(weights: Array, function: str, comment: str) -> ConstantArray:
    return ConstantArray(f"{function}_weights", "int8_t", weights.astype(np.int8), comment)


@dataclass(frozen=True)
class Matrix:
    """Weights [channels, depth] with all that kernels need to know of them."""

    params: dict[str, ParamValue]  # of te_matrix_t, te_matrix_16_t
    constants: tuple[ConstantArray, ...]


def matrix(op: ScaledOp, weights: Array, function: str, comment: str) -> Matrix:
    """`weights` without their zero point."""
    if op.x.dtype is DType.INT16:
        return _matrix_16(op, weights, function, comment)
    channels = pack_channels(op, weights)
    zero = kept_zero(op, channels.weights)
    weight, table = weight_table(channels.weights + zero, function, comment), channels.table(function)
    output = {"weight_zero": zero, **_sizes(weights), **prefixed("output", output_params(op, table))}
    return Matrix({"weights": weight.name, **output}, (weight, table))


def _matrix_16(op: ScaledOp, weights: Array, function: str, comment: str) -> Matrix:
    weight, table = weight_table(weights, function, comment), wide_table(op, function)
    sizes: Params = {"step": weights.shape[1], **_sizes(weights)}
    output = {**sizes, **prefixed("output", wide_output_params(op, table))}
    return Matrix({"weights": weight.name, **output}, (weight, table))


def _sizes(weights: Array) -> Params:
    return {"depth": weights.shape[1], "channels": weights.shape[0]}


def wide_table(op: ScaledOp, function: str) -> ConstantArray:
    """What te_requant64.h knows of each channel of an int16 layer."""
    bias, (mantissas, shifts) = op.bias_values(), op.multipliers()
    if op.is_wide:
        shifts = 15 - shifts
    else:
        pairs = [
            safe_multiplier(Multiplier(int(m), int(s)), op.rounding) for m, s in zip(mantissas, shifts, strict=True)
        ]
        mantissas, shifts = np.array(pairs, np.int64).reshape(-1, 2).T
    columns = np.stack([bias, bias >> 32, mantissas, shifts], axis=1) & 0xFFFFFFFF
    values = columns.astype(np.uint32).view(np.int32)
    return channel_table(function, values, "bias in two halves, mantissa and shift of each channel")


def wide_output_params(op: ScaledOp, table: ConstantArray) -> Params:
    """Members of te_output_16_t."""
    rounding = "TE_WIDE" if op.is_wide else f"TE_NARROW_{op.rounding.name}"
    return {"channels": table.name, "low": op.clamp.low, "high": op.clamp.high, "rounding": rounding}


def window_params(op: WeightedWindow) -> Params:
    """Members of te_window_t, in their order; te_plane_t has the same with channels for bytes."""
    return {
        "in_cols": op.x.image.columns,
        "pixel_bytes": op.x.pixel_bytes,
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
