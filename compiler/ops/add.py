"""ADD, with broadcasting: both operands are brought to a common scale with 20 spare bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..arith import Multiplier, quantize_multiplier, rescale
from ..graph import Array, DType
from .broadcast import BroadcastOp


class AddScales(NamedTuple):
    """Multipliers of the two operands and of their sum."""

    a: Multiplier
    b: Multiplier
    out: Multiplier


@dataclass(frozen=True, eq=False)
class Add(BroadcastOp):
    kind = "ADD"
    summary = "the sum of two tensors, with broadcasting and a fused activation"
    limits = "int8 per tensor; int32 constants, folded when compiling"
    short = "add"
    result = "sum"
    left_shift: ClassVar[int] = 20

    def scales(self) -> AddScales:
        common = 2 * max(self.x.scale, self.b.scale)
        return AddScales(
            quantize_multiplier(self.x.scale / common),
            quantize_multiplier(self.b.scale / common),
            quantize_multiplier(common / ((1 << self.left_shift) * self.y.scale)),
        )

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.y.dtype is DType.INT32 and self.clamp != DType.INT32.bounds:
            yield "fused activation of an int32 sum, which TFLM ignores"

    def unsupported_scales(self) -> Iterator[str]:
        if self.scales().out.shift > 0:
            yield f"the scale of {self.y.name} is more than 2^{self.left_shift - 1} times smaller than its inputs'"

    def scaled(self, a: Array, b: Array) -> Array:
        scales = self.scales()
        parts = [
            rescale((value - tensor.zero_point) << self.left_shift, factor.mantissa, factor.shift, self.rounding)
            for value, tensor, factor in ((a, self.x, scales.a), (b, self.b, scales.b))
        ]
        return rescale(parts[0] + parts[1], scales.out.mantissa, scales.out.shift, self.rounding)

    def exact(self, a: Array, b: Array) -> Array:
        return a + b
