"""MUL, with broadcasting: the product of two differences from a zero point, scaled to the output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..arith import Multiplier, rescale
from ..graph import Array
from .broadcast import BroadcastOp
from .checks import too_steep
from .elementwise import factor


@dataclass(frozen=True, eq=False)
class Mul(BroadcastOp):
    kind = "MUL"
    summary = "the product of two tensors, with broadcasting and a fused activation"
    limits = "per tensor; int32 constants, folded when compiling"
    short = "mul"
    result = "product"

    def scale(self) -> Multiplier:
        return factor((self.x.scale, self.b.scale), self.y.scale, self.single)

    def unsupported_scales(self) -> Iterator[str]:
        yield from too_steep(self.y, self.scale())

    def scaled(self, a: Array, b: Array) -> Array:
        mantissa, shift = self.scale()
        return rescale((a - self.x.zero_point) * (b - self.b.zero_point), mantissa, shift, self.rounding)

    def exact(self, a: Array, b: Array) -> Array:
        return a * b
