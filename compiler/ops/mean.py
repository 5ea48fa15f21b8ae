"""MEAN over any axes: one exact division by the number of values, folded into the multiplier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, saturate, wrap32
from ..graph import Array, Clamp, DType, Node, Op, Rounding
from .checks import INDEX_TYPES, integers, not_constant, not_per_tensor, too_steep, wrong_shape, wrong_types
from .options import option_bool


@dataclass(frozen=True, eq=False)
class Mean(Op):
    """`axes` are resolved (not negative, sorted, each once); None until their table is known."""

    axes: tuple[int, ...] | None
    keep_dims: bool
    rounding: Rounding

    kind = "MEAN"
    summary = "mean over any axes"
    limits = "int8 per tensor; constant axes"
    short = "mean"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, None, option_bool(node, "keep_dims"), Rounding.DOUBLE)

    def __post_init__(self) -> None:
        """The table may become known later, when a pass has folded what computes it."""
        table, rank = integers(self.inputs[1]), len(self.x.shape)
        if self.axes is None and table is not None:
            axes = tuple(sorted({int(a) + rank if a < 0 else int(a) for a in table.reshape(-1)}))
            object.__setattr__(self, "axes", axes)

    @property
    def count(self) -> int:
        """How many values each output averages."""
        return prod(self.x.shape[a] for a in self.axes or ())

    def scale(self) -> Multiplier:
        """The ratio of the scales over `count`, with as many bits as 32 allow."""
        mantissa, shift = quantize_multiplier(self.x.scale / self.y.scale)
        spare = min(63 - (64 - self.count.bit_length()), 32, 31 + shift)
        return Multiplier((mantissa << spare) // self.count, shift - spare)

    def invalid(self) -> Iterator[str]:
        if self.axes is None:
            return
        rank = len(self.x.shape)
        if any(not 0 <= a < rank for a in self.axes):
            yield f"axes {self.axes} do not exist in {self.x.describe()}"
            return
        kept = [1 if a in self.axes else n for a, n in enumerate(self.x.shape)]
        dropped = [n for a, n in enumerate(self.x.shape) if a not in self.axes]
        yield from wrong_shape(self.y, tuple(kept if self.keep_dims else dropped))

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.y))
        yield from not_constant((self.inputs[1],), "axes")
        yield from wrong_types(self, (self.inputs[1],), INDEX_TYPES)
        if self.x.quant is not None and self.y.quant is not None:
            yield from too_steep(self.y, self.scale())

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        total = x.sum(axis=self.axes or (), dtype=np.int64) - self.x.zero_point * self.count
        mantissa, shift = self.scale()
        scaled = rescale(wrap32(total), mantissa, shift, self.rounding) + self.y.zero_point
        return (saturate(scaled, Clamp(*self.y.dtype.bounds), self.y.dtype).reshape(self.y.shape),)
