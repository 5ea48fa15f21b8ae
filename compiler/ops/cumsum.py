"""CUMSUM along one axis, as TFLM computes it: in 32 bits that wrap, and not from zero but from minus the zero point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, saturate, wrap32
from ..graph import Array, Clamp, DType, Node, Op
from .checks import INDEX_TYPES, integers, not_constant, not_per_tensor, wrong_shape, wrong_types
from .options import option_bool

HEADROOM = 19  # bits that sums are scaled up by; beyond 16 values of 8 bits they may wrap


@dataclass(frozen=True, eq=False)
class CumSum(Op):
    exclusive: bool
    reverse: bool

    kind = "CUMSUM"
    summary = "sums of all values before, along one axis"
    limits = "per tensor, as TFLM: sums of many values wrap; constant axis"
    short = "cumsum"
    arity = (2, 2)
    types: ClassVar[tuple[DType, ...]] = (DType.INT8,)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        tensors = (node.index, node.inputs, node.outputs)
        return cls(*tensors, option_bool(node, "exclusive"), option_bool(node, "reverse"))

    @property
    def axis(self) -> int | None:
        """Not negative; None until its table is known."""
        table = integers(self.inputs[1])
        if table is None or table.size != 1:
            return None
        axis = int(table.reshape(-1)[0])
        return axis + len(self.x.shape) if axis < 0 else axis

    def scale(self) -> Multiplier:
        """From 2^-19 of a step of the input to a step of the output."""
        return quantize_multiplier(2 * self.x.scale / (2.0 ** (HEADROOM + 1) * self.y.scale))

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, self.x.shape)
        table = integers(self.inputs[1])
        if table is not None and table.size != 1:
            yield f"{self.kind} takes one axis, not {table.size}"
        elif self.axis is not None and not 0 <= self.axis < len(self.x.shape):
            yield f"axis {self.axis} does not exist in {self.x.describe()}"

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), self.types)
        yield from not_per_tensor((self.x, self.y))
        yield from not_constant((self.inputs[1],), "axis")
        yield from wrong_types(self, (self.inputs[1],), INDEX_TYPES)
        if self.x.quant is not None and self.y.quant is not None and self.scale().shift > 0:
            yield f"the scale of {self.y.name} is more than 2^{HEADROOM} times smaller than its input's"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        values = np.moveaxis(x.astype(np.int64) - self.x.zero_point, self.axis or 0, -1)
        values = values[..., ::-1] if self.reverse else values
        sums: Array = values.cumsum(axis=-1) - (values if self.exclusive else 0) - self.x.zero_point
        sums = np.moveaxis(sums[..., ::-1] if self.reverse else sums, -1, self.axis or 0)
        scaled = rescale(wrap32(sums << HEADROOM), *self.scale()) + self.y.zero_point
        return (saturate(scaled, Clamp(*self.y.dtype.bounds), self.y.dtype),)
