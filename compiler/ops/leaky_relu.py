"""LEAKY_RELU: negative values are scaled by a factor of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import Multiplier, rescale, saturate
from ..graph import Array, Clamp, DType, Node, Rounding
from .checks import QUANTISED, too_steep
from .elementwise import ElementwiseOp, differing_types, factor, have_quant, read
from .options import option_float
from .real import RealOp


@dataclass(frozen=True, eq=False)
class LeakyRelu(RealOp, ElementwiseOp):
    alpha: float
    rounding: Rounding
    single: bool = False  # ratios of scales in single precision, as LiteRT has them for uint8

    kind = "LEAKY_RELU"
    summary = "negative values are scaled by a factor"
    limits = "per tensor; int16 with a factor of 0 and more"
    types = QUANTISED
    short = "leaky_relu"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        alpha, single = option_float(node, "alpha", 0.0), node.outputs[0].dtype is DType.UINT8
        return cls(node.index, node.inputs, node.outputs, alpha, Rounding.DOUBLE, single)

    def scale(self) -> Multiplier:
        return factor((self.x.scale,), self.y.scale, self.single)

    def negative_scale(self) -> Multiplier:
        """Of the magnitude of the factor."""
        return factor((self.x.scale, abs(self.alpha)), self.y.scale, self.single)

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if not np.isfinite(self.alpha):
            yield f"its factor is {self.alpha}"
        elif have_quant(self.x, self.y):
            yield from too_steep(self.y, self.scale())
            yield from too_steep(self.y, self.negative_scale())
        if self.x.dtype is DType.INT16 and self.alpha < 0:
            yield f"its factor is {self.alpha:g}: negative ones work on 8-bit values only"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = read(inputs[0]) - self.x.zero_point
        below = rescale(x, *self.negative_scale(), self.rounding) * (-1 if self.alpha < 0 else 1)
        value = np.where(x >= 0, rescale(x, *self.scale(), self.rounding), below)
        return (saturate(value + self.y.zero_point, Clamp(*self.y.dtype.bounds), self.y.dtype),)

    def on_real(self, x: Array) -> Array:
        return np.where(x > 0, x, x * np.float32(self.alpha))
