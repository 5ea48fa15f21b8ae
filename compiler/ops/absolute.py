"""ABS and NEG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, saturate
from ..graph import Array, Clamp, DType, Node, Rounding
from .checks import differing_quant, too_steep
from .elementwise import ElementwiseOp, differing_types, have_quant, read
from .real import RealOp


@dataclass(frozen=True, eq=False)
class Abs(RealOp, ElementwiseOp):
    rounding: Rounding

    kind = "ABS"
    summary = "the magnitude of each value"
    limits = "per tensor"
    types = (DType.INT8, DType.INT16)
    short = "abs"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, Rounding.DOUBLE)

    def scale(self) -> Multiplier:
        return quantize_multiplier(self.x.scale / self.y.scale)

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if have_quant(self.x, self.y):
            yield from too_steep(self.y, self.scale())

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        magnitude = np.abs(read(inputs[0]) - self.x.zero_point)
        if self.x.scale != self.y.scale:
            magnitude = rescale(magnitude, *self.scale(), self.rounding)
        return (saturate(magnitude + self.y.zero_point, Clamp(*self.y.dtype.bounds), self.y.dtype),)

    def on_real(self, x: Array) -> Array:
        return np.abs(x)


@dataclass(frozen=True, eq=False)
class Neg(RealOp, ElementwiseOp):
    """Of the bytes as they are: the smallest stays itself."""

    kind = "NEG"
    summary = "each value with the other sign"
    limits = "zero points 0, one scale for input and output; TFLM has none: as LiteRT's reference kernel"
    short = "neg"

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        yield from differing_quant(self, (self.x,))
        if self.x.quant is not None and self.x.zero_point != 0:
            yield f"{self.x.name} has zero point {self.x.zero_point}, not 0"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return ((-read(inputs[0])).astype(self.y.dtype.numpy),)

    def on_real(self, x: Array) -> Array:
        return -x
