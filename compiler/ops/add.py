"""ADD, with broadcasting: both operands are brought to a common scale with 20 spare bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, saturate
from ..graph import Array, Clamp, DType, Node, Op, Region, Rounding, Span, Tensor
from .checks import not_per_tensor, wrong_types
from .options import fused_clamp


class AddScales(NamedTuple):
    """Multipliers of the two operands and of their sum."""

    a: Multiplier
    b: Multiplier
    out: Multiplier


@dataclass(frozen=True, eq=False)
class Add(Op):
    clamp: Clamp
    rounding: Rounding

    kind = "ADD"
    summary = "the sum of two tensors, with broadcasting and a fused activation"
    limits = "int8 per tensor"
    short = "add"
    arity = (2, 2)
    left_shift: ClassVar[int] = 20

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, fused_clamp(node), Rounding.DOUBLE)

    @property
    def b(self) -> Tensor:
        tensor = self.inputs[1]
        assert tensor is not None
        return tensor

    @property
    def streams(self) -> bool:
        return True

    @property
    def broadcasts(self) -> bool:
        return self.x.shape != self.y.shape or self.b.shape != self.y.shape

    def window(self, index: int, region: Region) -> Region:
        source = self.inputs[index]
        assert source is not None
        rows = region.rows if source.image.rows == self.y.image.rows else Span(0, source.image.rows)
        columns = region.columns if source.image.columns == self.y.image.columns else Span(0, source.image.columns)
        return Region(rows, columns)

    def scales(self) -> AddScales:
        common = 2 * max(self.x.scale, self.b.scale)
        return AddScales(
            quantize_multiplier(self.x.scale / common),
            quantize_multiplier(self.b.scale / common),
            quantize_multiplier(common / ((1 << self.left_shift) * self.y.scale)),
        )

    def invalid(self) -> Iterator[str]:
        try:
            shape = np.broadcast_shapes(self.x.shape, self.b.shape)
        except ValueError:
            yield f"{self.x.describe()} and {self.b.describe()} do not broadcast"
            return
        if shape != self.y.shape:
            yield f"{self.y.describe()} is not the sum of {self.x.describe()} and {self.b.describe()}"

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.b, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.b, self.y))
        if all(t.quant is not None for t in (self.x, self.b, self.y)) and self.scales().out.shift > 0:
            yield f"the scale of {self.y.name} is more than 2^{self.left_shift - 1} times smaller than its inputs'"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        a, b = inputs
        assert a is not None and b is not None
        scales = self.scales()
        parts = [
            rescale((v.astype(np.int64) - t.zero_point) << self.left_shift, m.mantissa, m.shift, self.rounding)
            for v, t, m in ((a, self.x, scales.a), (b, self.b, scales.b))
        ]
        total = rescale(parts[0] + parts[1], scales.out.mantissa, scales.out.shift, self.rounding)
        return (saturate(total + self.y.zero_point, self.clamp, self.y.dtype),)
