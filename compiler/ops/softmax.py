"""SOFTMAX over the last axis, in TFLite's 32-bit fixed point; of int16 in its 16-bit tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp
from typing import ClassVar, NamedTuple, Self

import numpy as np

from ..arith import INT32_MAX, Multiplier, high_mul, quantize_multiplier, rescale, round_shift
from ..fixed_point import exp_on_negative_values, reciprocal_of_sum
from ..graph import Array, DType, Node, Quant, Region
from .checks import not_per_tensor, wrong_shape, wrong_types
from .options import option_float
from .real import RealOp, each, sum_in_order
from .table16 import look_up, tabulate

INTEGER_BITS = 5  # of the differences that go into exp
SUM_BITS = 12  # of the sum of exponentials
LONGEST_ROW = (1 << SUM_BITS) - 1  # alike values beyond would overflow the sum
LONGEST_ROW_16 = 1 << 16
STEEPEST_16 = 15  # shift of differences of int16 that overflows nothing


class Result(NamedTuple):
    """The output's quantisation, which is fixed, and how far TFLM takes scales for equal."""

    scale: float
    zero_point: int
    tolerance: float

    def is_met(self, quant: Quant) -> bool:
        return quant.zero_point == self.zero_point and abs(quant.scale / self.scale - 1) <= self.tolerance


RESULTS = {
    (DType.INT8, DType.INT8): Result(1 / 256, -128, 0),
    (DType.INT8, DType.INT16): Result(1 / (1 << 16), -(1 << 15), 0.001),
    (DType.INT16, DType.INT16): Result(1 / (1 << 15), 0, 0.001),
    (DType.UINT8, DType.UINT8): Result(1 / 256, 0, 0),
}


@dataclass(frozen=True, eq=False)
class Softmax(RealOp):
    beta: float

    kind = "SOFTMAX"
    summary = "exponentials that sum to one, over the last axis"
    limits = "int8 to int16 as well; fixed output scales (int8: 1/256); rows of at most 4095 values"
    short = "softmax"
    arity = (1, 1)
    types: ClassVar[tuple[DType, ...]] = tuple(dict.fromkeys(x for x, _ in RESULTS))

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_float(node, "beta", 1.0))

    @property
    def streams(self) -> bool:
        return len(self.x.shape) >= 3

    def window(self, index: int, region: Region) -> Region:
        return region

    def scale(self) -> Multiplier:
        """Factor from a difference of inputs to Q5.26; of int16, to steps of the table of exponentials."""
        if self.x.dtype is DType.INT16:
            return quantize_multiplier(self.x.scale * self.beta / (10 / 65535))
        return quantize_multiplier(min(self._real_scale, float(INT32_MAX)))

    @property
    def _real_scale(self) -> float:
        return self.beta * self.x.scale * (1 << (31 - INTEGER_BITS))

    def smallest_difference(self) -> int:
        """Below it the exponential is zero."""
        bound = ((1 << INTEGER_BITS) - 1) * (1 << (31 - INTEGER_BITS))
        return -(bound >> self.scale().shift)

    @property
    def result_bits(self) -> int:
        return 8 * self.y.dtype.size

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, self.x.shape)

    def unsupported(self) -> Iterator[str]:
        result = RESULTS.get((self.x.dtype, self.y.dtype))
        if result is None:
            yield from self._wrong_types()
            return
        yield from wrong_types(self, (self.x, self.y), (self.x.dtype, self.y.dtype))
        yield from not_per_tensor((self.x, self.y))
        yield from self._wrong_scales(result)
        longest = LONGEST_ROW_16 if self.x.dtype is DType.INT16 else LONGEST_ROW
        if not self.x.shape or self.x.shape[-1] > longest:
            yield f"{self.x.describe()}: the last axis must hold 1 to {longest} values"

    def _wrong_types(self) -> Iterator[str]:
        if self.x.dtype in self.types:
            yield f"{self.y.name} is {self.y.dtype.value} where {self.x.name} is {self.x.dtype.value}"
        yield from wrong_types(self, (self.x,), self.types)

    def _wrong_scales(self, result: Result) -> Iterator[str]:
        if self.y.quant is not None and not result.is_met(self.y.quant):
            found = f"{self.y.name} has scale {self.y.scale:g} and zero point {self.y.zero_point}"
            yield f"{found}, not 1/{round(1 / result.scale)} and {result.zero_point}"
        if self.x.quant is None:
            return
        if self.x.dtype is DType.INT16:
            if not (self.beta > 0 and self.scale().shift <= STEEPEST_16):
                yield f"{self.x.name} has scale {self.x.scale:g}, which the table of exponentials can't take"
        elif not self._real_scale > 1:
            yield f"{self.x.name} has a scale too small for the fixed-point exponential (beta {self.beta:g})"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        difference = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
        result = self._short(difference) if x.dtype == np.int16 else self._long(difference)
        return (result.astype(self.y.dtype.numpy),)

    def on_real(self, x: Array) -> Array:
        exponentials = each(exp, (x - x.max(axis=-1, keepdims=True)) * np.float32(self.beta))
        return exponentials / sum_in_order(exponentials)

    def _long(self, difference: Array) -> Array:
        low, high = self.y.dtype.bounds
        alive = difference >= self.smallest_difference()
        scale = self.scale()
        raw = high_mul(np.where(alive, difference, 0) << scale.shift, scale.mantissa)
        exponentials = exp_on_negative_values(raw)
        total = np.where(alive, round_shift(exponentials, SUM_BITS), 0).sum(axis=-1, keepdims=True)
        reciprocal, over_unit = reciprocal_of_sum(total, SUM_BITS)
        scaled = round_shift(high_mul(reciprocal, exponentials), over_unit + 31 - self.result_bits) + low
        return np.where(alive, np.clip(scaled, low, high), low)

    def _short(self, difference: Array) -> Array:
        """In 15 bits; the sum, scaled to [1, 2), is looked up in a table of reciprocals."""
        exponentials = self.exponentials(difference)
        total = exponentials.sum(axis=-1, keepdims=True)
        bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
        fraction = (((total << (31 - bits)) + (1 << 13)) >> 14) - (1 << 16) - (1 << 15)
        reciprocal = look_up(reciprocal_table(), np.minimum(fraction, (1 << 15) - 1))
        scaled = (exponentials * reciprocal + (np.int64(1) << (bits - 2))) >> (bits - 1)
        return np.asarray(np.clip(scaled, 0, (1 << 15) - 1))

    def exponentials(self, difference: Array) -> Array:
        """Of differences of int16, as Q0.15."""
        mantissa, shift = self.scale()
        steps = rescale(difference, mantissa, shift) + (1 << 15) - 1
        return look_up(exponential_table(), np.clip(steps, -(1 << 15), (1 << 15) - 1))


@cache
def exponential_table() -> Array:
    """exp of -10 ... 0."""
    return tabulate(exp, _quant(10, (1 << 15) - 1), _quant(2, 0))


@cache
def reciprocal_table() -> Array:
    """1 / (1 + x) of 0 ... 1; the division is one of float32."""
    return tabulate(lambda x: float(np.float32(1) / np.float32(1 + x)), _quant(1, -(1 << 15)), _quant(2, 0))


def _quant(width: int, zero_point: int) -> Quant:
    """A range of 65535 steps, its scale as float32."""
    return Quant((float(np.float32(width) / np.float32(65535)),), (zero_point,))
