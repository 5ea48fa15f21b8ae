"""Fixed-point arithmetic of TFLite's reference kernels, bit for bit, vectorised over NumPy arrays."""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

import numpy as np

from .graph import Array, Clamp, DType, Quant, Rounding

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
LARGEST_SHIFT = 30  # to the left, in 32 bits
LARGEST_REDUCED = 0x7FFF  # mantissa for accumulators of 64 bits


class Multiplier(NamedTuple):
    """A real factor as `mantissa * 2^(shift - 31)`.

    The mantissa's magnitude is 0 or in [2^30, 2^31]; it is negative where weights have a negative scale.
    """

    mantissa: int
    shift: int


def round_half_away(value: float) -> int:
    whole = math.trunc(value)
    return whole + (value - whole >= 0.5) - (value - whole <= -0.5)


def quantize_multiplier(factor: float) -> Multiplier:
    if factor == 0.0:
        return Multiplier(0, 0)
    if not math.isfinite(factor):
        return Multiplier(INT32_MAX, sys.maxsize)  # never computed with: every operator refuses such shifts
    fraction, exponent = math.frexp(factor)
    mantissa = round_half_away(fraction * (1 << 31))
    if mantissa == 1 << 31:
        mantissa, exponent = mantissa // 2, exponent + 1
    return Multiplier(0, 0) if exponent < -31 else Multiplier(mantissa, exponent)


def wrap32(value: Array) -> Array:
    """Keep the low 32 bits, as the C accumulators do; held in int64 for what follows."""
    return np.asarray(value, np.int64).astype(np.int32).astype(np.int64)


def high_mul(a: Array, b: Array | int) -> Array:
    """SaturatingRoundingDoublingHighMul: round(a * b / 2^31), ties towards plus infinity."""
    product = np.asarray(a, np.int64) * b
    return np.asarray(np.minimum((product + (1 << 30)) >> 31, INT32_MAX))


def round_shift(value: Array, bits: Array | int) -> Array:
    """RoundingDivideByPOT: value / 2^bits to nearest, ties away from zero."""
    mask = (np.int64(1) << np.asarray(bits, np.int64)) - 1
    remainder = value & mask
    return np.asarray((value >> bits) + (remainder > (mask >> 1) + (value < 0)))


def rescale(acc: Array, mantissa: Array | int, shift: Array | int, rounding: Rounding = Rounding.DOUBLE) -> Array:
    """MultiplyByQuantizedMultiplier on int32 values; factors may be arrays that broadcast."""
    shift = np.asarray(shift, np.int64)
    if rounding is Rounding.SINGLE:
        total = 31 - shift
        return np.asarray((np.asarray(acc, np.int64) * mantissa + (np.int64(1) << (total - 1))) >> total)
    left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
    return round_shift(high_mul(wrap32(np.asarray(acc, np.int64) << left), mantissa), right)


def reduced_multiplier(factor: float) -> Multiplier:
    """The factor for accumulators of 64 bits: 16 bits of mantissa, `mantissa * 2^(shift - 15)`."""
    mantissa, shift = quantize_multiplier(factor)
    return Multiplier(LARGEST_REDUCED if mantissa >= LARGEST_REDUCED << 16 else (mantissa + (1 << 15)) >> 16, shift)


def rescale64(acc: Array, mantissa: Array | int, shift: Array | int) -> Array:
    """MultiplyByQuantizedMultiplier on int64 values with a reduced multiplier; the result wraps at 32 bits."""
    total = 15 - np.asarray(shift, np.int64)
    return wrap32((np.asarray(acc, np.int64) * mantissa + (np.int64(1) << (total - 1))) >> total)


def rescale_away(acc: Array, factor: Array | float) -> Array:
    """To the nearest integer, ties away from zero, after a product in double precision."""
    product = np.asarray(acc, np.float64) * factor
    whole = np.trunc(np.clip(product, INT32_MIN, INT32_MAX))
    return np.asarray((whole + np.trunc(2 * (product - whole)).clip(-1, 1)).astype(np.int64))


def truncated_divide(a: Array, b: Array | int) -> Array:
    """Integer division towards zero, as in C."""
    return np.sign(a) * (np.abs(a) // b)


def activation_clamp(activation: str, quant: Quant, dtype: DType) -> Clamp:
    """Bounds of a fused activation in quantised units, computed in float32 as TFLM does."""

    def quantized(value: float) -> int:
        with np.errstate(over="ignore"):
            ratio = float(np.float32(value) / np.float32(quant.scale))
        return quant.zero_point + round_half_away(min(max(ratio, INT32_MIN), INT32_MAX))

    low, high = dtype.bounds
    if activation in ("RELU", "RELU6", "RELU_0_TO_1"):
        low = max(low, quantized(0.0))
    if activation == "RELU_0_TO_1":
        high = min(high, quantized(1.0))
    if activation == "RELU_N1_TO_1":
        low, high = max(low, quantized(-1.0)), min(high, quantized(1.0))
    if activation == "RELU6":
        high = min(high, quantized(6.0))
    return Clamp(low, high)


def saturate(value: Array, clamp: Clamp, dtype: DType) -> Array:
    return np.clip(value, clamp.low, clamp.high).astype(dtype.numpy)
