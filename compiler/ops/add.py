"""ADD, SUB and SQUARED_DIFFERENCE, with broadcasting: both operands are brought to a common scale with spare bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from ..arith import Multiplier, quantize_multiplier, rescale, wrap32
from ..graph import Array, DType
from .broadcast import BroadcastOp
from .checks import too_steep


class AddScales(NamedTuple):
    """Multipliers of the two operands and of their sum."""

    a: Multiplier
    b: Multiplier
    out: Multiplier


@dataclass(frozen=True, eq=False)
class CommonScaleOp(BroadcastOp):
    """The common scale is twice the larger one."""

    bits: ClassVar[int] = 20  # to the left, of int8
    bits16: ClassVar[int] = 15

    @property
    def left_shift(self) -> int:
        return self.bits16 if self.x.dtype is DType.INT16 else self.bits

    def scales(self) -> AddScales:
        common = 2 * max(self.x.scale, self.b.scale)
        return AddScales(
            quantize_multiplier(self.x.scale / common),
            quantize_multiplier(self.b.scale / common),
            quantize_multiplier(self.output_factor(common)),
        )

    def output_factor(self, common: float) -> float:
        return common / ((1 << self.left_shift) * self.y.scale)

    def unsupported_scales(self) -> Iterator[str]:
        if self.scales().out.shift > 0:
            yield f"the scale of {self.y.name} is more than 2^{self.left_shift - 1} times smaller than its inputs'"

    def common(self, a: Array, b: Array) -> tuple[Array, Array]:
        """Both operands in the common scale."""
        scales = self.scales()
        first, second = (
            rescale((value - tensor.zero_point) << self.left_shift, factor.mantissa, factor.shift, self.rounding)
            for value, tensor, factor in ((a, self.x, scales.a), (b, self.b, scales.b))
        )
        return first, second


@dataclass(frozen=True, eq=False)
class Add(CommonScaleOp):
    kind = "ADD"
    summary = "the sum of two tensors, with broadcasting and a fused activation"
    limits = "per tensor; int32 constants, folded when compiling"
    short = "add"
    result = "sum"

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.y.dtype is DType.INT32 and self.clamp != DType.INT32.bounds:
            yield "fused activation of an int32 sum, which TFLM ignores"

    def scaled(self, a: Array, b: Array) -> Array:
        first, second = self.common(a, b)
        return rescale(first + second, *self.scales().out, self.rounding)

    def exact(self, a: Array, b: Array) -> Array:
        return a + b


@dataclass(frozen=True, eq=False)
class Sub(CommonScaleOp):
    kind = "SUB"
    summary = "the difference of two tensors, with broadcasting and a fused activation"
    limits = "per tensor; int32 constants, folded when compiling"
    short = "sub"
    result = "difference"

    def scaled(self, a: Array, b: Array) -> Array:
        first, second = self.common(a, b)
        return rescale(first - second, *self.scales().out, self.rounding)

    def exact(self, a: Array, b: Array) -> Array:
        return a - b


@dataclass(frozen=True, eq=False)
class SquaredDifference(CommonScaleOp):
    kind = "SQUARED_DIFFERENCE"
    summary = "the square of the difference of two tensors, with broadcasting"
    limits = "per tensor; int32 constants, folded when compiling"
    short = "squared_difference"
    result = "squared difference"
    types = (DType.INT8, DType.INT16)
    bits = 7
    bits16 = 0

    def output_factor(self, common: float) -> float:
        return common * common / ((1 << 2 * self.left_shift) * self.y.scale)

    def unsupported_scales(self) -> Iterator[str]:
        yield from too_steep(self.y, self.scales().out)

    def scaled(self, a: Array, b: Array) -> Array:
        first, second = self.common(a, b)
        return rescale(wrap32((first - second) ** 2), *self.scales().out, self.rounding)

    def exact(self, a: Array, b: Array) -> Array:
        return wrap32(a - b) ** 2
