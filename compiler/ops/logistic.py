"""LOGISTIC and TANH: in TFLite's 32-bit fixed point for int8, through a table of int16 for int16."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, round_shift
from ..fixed_point import logistic, logistic_of_16_bits, tanh, tanh_of_16_bits
from ..graph import Array, DType, Node
from .checks import QUANTISED
from .elementwise import ElementwiseOp, differing_types, have_quant, read
from .real import RealOp
from .real_functions import round_away

INTEGER_BITS = 4  # of the argument
SCALES = (2.0**-28, 2.0**35)  # beyond them the shift to Q4.27 is negative, or 63 and more
UNIT = 4096 * 3  # of what is looked up in it
SCALES16 = (2.0**-30, 32767 / UNIT)  # a factor to this unit has 15 bits and a shift of 30 at most


def near_power(scale: float) -> int | None:
    """The exponent of a power of two, with the tolerance that TFLite has."""
    exponent = np.log(np.float32(scale)) * np.float32(1 / math.log(2))
    return round(exponent) if abs(exponent - round(exponent)) < 1e-3 else None


@dataclass(frozen=True, eq=False)
class SigmoidOp(RealOp, ElementwiseOp):
    """Its output counts in steps of its own, whatever scale the output states, as in TFLM. `real`: a table of 256
    real results instead, as LiteRT has it for uint8."""

    real: bool = False

    types: ClassVar[tuple[DType, ...]] = QUANTISED
    output_bits: ClassVar[int]  # of an int8 output, behind the point
    output_zero: ClassVar[int]  # likewise
    exact_shifts: ClassVar[tuple[int, ...]]  # powers of two of an int16 scale, from 2^-12 on, that need no rounding

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, node.outputs[0].dtype is DType.UINT8)

    def scale(self) -> Multiplier:
        """Factor from a difference to the zero point to Q4.27."""
        return quantize_multiplier(self.x.scale * (1 << (31 - INTEGER_BITS)))

    def radius(self) -> int:
        """At this distance from the zero point and beyond, the output is one of its ends."""
        return ((1 << INTEGER_BITS) - 1 << (31 - INTEGER_BITS)) >> self.scale().shift

    def table_scale(self) -> Multiplier:
        """Integer factor and right shift from int16 to the unit of the table."""
        power = near_power(self.x.scale)
        if power is not None and power + 12 in self.exact_shifts:
            return Multiplier(3 << (power + 12), 0)
        factor, shift = self.x.scale * UNIT, 0
        while factor <= 32767 / 2 and shift <= 30:
            factor, shift = factor * 2, shift + 1
        return Multiplier(int(factor), shift)

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if not have_quant(self.x, self.y) or self.real:
            return
        low, high = SCALES16 if self.x.dtype is DType.INT16 else SCALES
        if not low <= self.x.scale < high:
            yield f"{self.x.name} has scale {self.x.scale:g}, which the fixed-point exponential can't take"
        if self.x.dtype is DType.INT8 and self.y.zero_point != self.output_zero:
            yield f"{self.y.name} has zero point {self.y.zero_point}, not {self.output_zero}"
        if self.x.dtype is DType.INT16 and self.y.scale != 2.0**-15:
            yield f"{self.y.name} has scale {self.y.scale:g}, not 2^-15"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = read(inputs[0]) - self.x.zero_point
        low, high = self.y.dtype.bounds
        if self.real:
            value = self._from_reals(x)
        else:
            value = self._from_table(x) if self.x.dtype is DType.INT16 else self._fixed(x)
        return (np.clip(value, low, high).astype(self.y.dtype.numpy),)

    def _fixed(self, x: Array) -> Array:
        inside = np.abs(x) < self.radius()
        raw = rescale(np.where(inside, x, 0), *self.scale())
        value = round_shift(self.curve(raw), 31 - self.output_bits) + self.output_zero
        ends = np.where(x <= -self.radius(), -128, 127)  # in this order: with radius 0 the middle is low
        return np.where(inside, value, ends)

    def _from_table(self, x: Array) -> Array:
        factor, shift = self.table_scale()
        return self.from_table((x * factor + (1 << shift >> 1)) >> shift)

    def _from_reals(self, x: Array) -> Array:
        with np.errstate(all="ignore"):
            real = np.float32(self.x.scale) * x.astype(np.float32)
            steps = self.on_real(real) * (np.float32(1) / np.float32(self.y.scale))
        return round_away(steps) + self.y.zero_point

    def on_real(self, x: Array) -> Array:
        return np.array([self.real_function(v) for v in x.reshape(-1)], np.float32).reshape(x.shape)

    @abstractmethod
    def curve(self, raw: Array) -> Array:
        """Of Q4.27, as Q0.31."""

    @abstractmethod
    def from_table(self, value: Array) -> Array:
        """Of numbers in the table's unit, as int16."""

    @abstractmethod
    def real_function(self, value: np.float32) -> np.float32:
        """Of one number."""


@dataclass(frozen=True, eq=False)
class Logistic(SigmoidOp):
    kind = "LOGISTIC"
    summary = "1 / (1 + exp(-x)) of each value"
    limits = "of int8: output zero point -128, and, as TFLM, its scale is taken for 1/256; of int16: output scale 2^-15"
    short = "logistic"
    output_bits = 8
    output_zero = -128
    exact_shifts = (0,)

    def curve(self, raw: Array) -> Array:
        return logistic(raw, INTEGER_BITS)

    def from_table(self, value: Array) -> Array:
        return logistic_of_16_bits(value)

    def real_function(self, value: np.float32) -> np.float32:
        if value > 16.619047164916992188:
            return np.float32(1)
        if value < -9:
            return np.float32(math.exp(value))
        return np.float32(1) / (np.float32(1) + np.float32(math.exp(-value)))


@dataclass(frozen=True, eq=False)
class Tanh(SigmoidOp):
    """From the same table: 2 / (1 + exp(-2x)) - 1."""

    kind = "TANH"
    summary = "the hyperbolic tangent of each value"
    limits = "of int8: output zero point 0, and, as TFLM, its scale is taken for 1/128; of int16: output scale 2^-15"
    short = "tanh"
    output_bits = 7
    output_zero = 0
    exact_shifts = (0, 1)

    def curve(self, raw: Array) -> Array:
        return tanh(raw, INTEGER_BITS)

    def from_table(self, value: Array) -> Array:
        return tanh_of_16_bits(value)

    def real_function(self, value: np.float32) -> np.float32:
        return np.float32(math.tanh(value))
