"""LOG_SOFTMAX over the last axis, in TFLite's 32-bit fixed point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import INT32_MAX, INT32_MIN, Multiplier, quantize_multiplier, rescale, round_shift
from ..fixed_point import exp_on_negative_values, logarithm
from ..graph import Array, Node, Region
from .checks import wrong_shape
from .elementwise import differing_types
from .real import RealOp, each, sum_in_order

INTEGER_BITS = 5  # of the differences that go into exp, and of the logarithm
SUM_BITS = 12  # of the sum of exponentials
OUTPUT_BITS = 4
LONGEST_ROW = (1 << SUM_BITS) - 1  # alike values beyond would overflow the sum


@dataclass(frozen=True, eq=False)
class LogSoftmax(RealOp):
    kind = "LOG_SOFTMAX"
    summary = "the logarithm of a softmax over the last axis"
    limits = "output scale 1/16, zero point 127; rows of at most 4095 values"
    short = "log_softmax"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @property
    def streams(self) -> bool:
        return len(self.x.shape) >= 3

    def window(self, index: int, region: Region) -> Region:
        return region

    def scale(self) -> Multiplier:
        """Factor from a difference of inputs to Q5.26."""
        return quantize_multiplier(min(self._real_scale, float(INT32_MAX)))

    def reverse_scale(self) -> Multiplier:
        """And back."""
        mantissa, shift = self.scale()
        return quantize_multiplier((1 << (31 - shift)) / mantissa)

    @property
    def _real_scale(self) -> float:
        return self.x.scale * (1 << (31 - INTEGER_BITS))

    def smallest_difference(self) -> int:
        """Below it the exponential is zero."""
        bound = ((1 << INTEGER_BITS) - 1) * (1 << (31 - INTEGER_BITS))
        return -(bound >> self.scale().shift)

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, self.x.shape)

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if self.y.quant is not None and (self.y.scale, self.y.zero_point) != (1 / 16, 127):
            yield f"{self.y.name} has scale {self.y.scale:g} and zero point {self.y.zero_point}, not 1/16 and 127"
        if self.x.quant is not None and not self._real_scale > 1:
            yield f"{self.x.name} has a scale too small for the fixed-point exponential"
        if not self.x.shape or self.x.shape[-1] > LONGEST_ROW:
            yield f"{self.x.describe()}: the last axis must hold 1 to {LONGEST_ROW} values"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        difference = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
        alive = difference >= self.smallest_difference()
        raw = rescale(difference, *self.scale())
        exponentials = round_shift(exp_on_negative_values(np.where(alive, raw, 0)), SUM_BITS)
        log_sum = logarithm(np.where(alive, exponentials, 0).sum(axis=-1, keepdims=True), SUM_BITS)
        lowest = np.maximum(self.smallest_difference() - 1, rescale(log_sum + INT32_MIN, *self.reverse_scale()))
        value = round_shift(raw - log_sum, 31 - INTEGER_BITS - OUTPUT_BITS) + 127
        return (np.where(difference > lowest, np.clip(value, -128, 127), -128).astype(np.int8),)

    def on_real(self, x: Array) -> Array:
        difference = x - x.max(axis=-1, keepdims=True)
        return np.asarray(difference - each(math.log, sum_in_order(each(math.exp, difference))))
