"""SOFTMAX over the last axis, in TFLite's 32-bit fixed point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import INT32_MAX, Multiplier, high_mul, quantize_multiplier, round_shift
from ..fixed_point import exp_on_negative_values, reciprocal_of_sum
from ..graph import Array, DType, Node, Op, Region
from .checks import not_per_tensor, wrong_shape, wrong_types
from .options import option_float

INTEGER_BITS = 5  # of the differences that go into exp
SUM_BITS = 12  # of the sum of exponentials
LONGEST_ROW = (1 << SUM_BITS) - 1  # alike values beyond would overflow the sum


@dataclass(frozen=True, eq=False)
class Softmax(Op):
    beta: float

    kind = "SOFTMAX"
    summary = "exponentials that sum to one, over the last axis"
    limits = "int8; output scale 1/256; rows of at most 4095 values"
    short = "softmax"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_float(node, "beta", 1.0))

    @property
    def streams(self) -> bool:
        return len(self.x.shape) >= 3

    def window(self, index: int, region: Region) -> Region:
        return region

    def scale(self) -> Multiplier:
        """Factor from a difference of inputs to Q5.26."""
        return quantize_multiplier(min(self._real_scale, float(INT32_MAX)))

    @property
    def _real_scale(self) -> float:
        return self.beta * self.x.scale * (1 << (31 - INTEGER_BITS))

    def smallest_difference(self) -> int:
        """Below it the exponential is zero."""
        bound = ((1 << INTEGER_BITS) - 1) * (1 << (31 - INTEGER_BITS))
        return -(bound >> self.scale().shift)

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, self.x.shape)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.y))
        if self.y.quant is not None and (self.y.scale, self.y.zero_point) != (1 / 256, -128):
            yield f"{self.y.name} has scale {self.y.scale:g} and zero point {self.y.zero_point}, not 1/256 and -128"
        if self.x.quant is not None and not self._real_scale > 1:
            yield f"{self.x.name} has a scale too small for the fixed-point exponential (beta {self.beta:g})"
        if not self.x.shape or self.x.shape[-1] > LONGEST_ROW:
            yield f"{self.x.describe()}: the last axis must hold 1 to {LONGEST_ROW} values"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        difference = x.astype(np.int64) - x.max(axis=-1, keepdims=True)
        alive = difference >= self.smallest_difference()
        scale = self.scale()
        raw = high_mul(np.where(alive, difference, 0) << scale.shift, scale.mantissa)
        exponentials = exp_on_negative_values(raw)
        total = np.where(alive, round_shift(exponentials, SUM_BITS), 0).sum(axis=-1, keepdims=True)
        reciprocal, over_unit = reciprocal_of_sum(total, SUM_BITS)
        scaled = round_shift(high_mul(reciprocal, exponentials), over_unit + 31 - 8) - 128
        return (np.where(alive, np.clip(scaled, -128, 127), -128).astype(np.int8),)
