"""LOGISTIC: 1 / (1 + exp(-x)), in TFLite's 32-bit fixed point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, round_shift
from ..fixed_point import logistic
from ..graph import Array, DType, Node
from .checks import not_per_tensor, wrong_types
from .elementwise import ElementwiseOp

INTEGER_BITS = 4  # of the argument
OUTPUT_BITS = 8
SCALES = (2.0**-28, 2.0**35)  # beyond them the shift to Q4.27 is negative, or 63 and more


@dataclass(frozen=True, eq=False)
class Logistic(ElementwiseOp):
    """Its output counts in steps of 1/256 from -128, whatever scale the output states, as in TFLM."""

    kind = "LOGISTIC"
    summary = "1 / (1 + exp(-x)) of each value"
    limits = "int8; output zero point -128; as TFLM, the output's scale is taken for 1/256"
    short = "logistic"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def scale(self) -> Multiplier:
        """Factor from a difference to the zero point to Q4.27."""
        return quantize_multiplier(self.x.scale * (1 << (31 - INTEGER_BITS)))

    def radius(self) -> int:
        """At this distance from the zero point and beyond, the output is one of its ends."""
        return ((1 << INTEGER_BITS) - 1 << (31 - INTEGER_BITS)) >> self.scale().shift

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.y))
        if self.y.quant is not None and self.y.zero_point != -128:
            yield f"{self.y.name} has zero point {self.y.zero_point}, not -128"
        if self.x.quant is not None and not SCALES[0] <= self.x.scale < SCALES[1]:
            yield f"{self.x.name} has scale {self.x.scale:g}, which the fixed-point exponential can't take"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = np.asarray(inputs[0], np.int64) - self.x.zero_point
        inside = np.abs(x) < self.radius()
        raw = rescale(np.where(inside, x, 0), *self.scale())
        value = round_shift(logistic(raw, INTEGER_BITS), 31 - OUTPUT_BITS) - 128
        ends = np.where(x <= -self.radius(), -128, 127)  # in this order: with radius 0 the middle is low
        return (np.where(inside, np.clip(value, -128, 127), ends).astype(np.int8),)
