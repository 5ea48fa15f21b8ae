"""What ADD and MUL share: two operands that broadcast, and a fused activation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..arith import saturate, wrap32
from ..graph import Array, Clamp, DType, Node, Op, Region, Rounding, Span, Tensor
from .checks import not_per_tensor, wrong_types
from .options import fused_clamp


@dataclass(frozen=True, eq=False)
class BroadcastOp(Op):
    """On int8; on constants of int32 as well, which shape arithmetic is made of."""

    clamp: Clamp
    rounding: Rounding

    arity = (2, 2)
    result: ClassVar[str]  # what messages call the output

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, fused_clamp(node), Rounding.DOUBLE)

    @property
    def b(self) -> Tensor:
        tensor = self.inputs[1]
        assert tensor is not None
        return tensor

    @property
    def operands(self) -> tuple[Tensor, Tensor]:
        return self.x, self.b

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

    def invalid(self) -> Iterator[str]:
        try:
            shape = np.broadcast_shapes(self.x.shape, self.b.shape)
        except ValueError:
            yield f"{self.x.describe()} and {self.b.describe()} do not broadcast"
            return
        if shape != self.y.shape:
            yield f"{self.y.describe()} is not the {self.result} of {self.x.describe()} and {self.b.describe()}"

    def unsupported(self) -> Iterator[str]:
        tensors = (*self.operands, self.y)
        if not self.activations and self.x.dtype is DType.INT32:
            yield from wrong_types(self, tensors, (DType.INT32,))
            return
        yield from wrong_types(self, tensors, (DType.INT8,))
        yield from not_per_tensor(tensors)
        if all(t.quant is not None for t in tensors):
            yield from self.unsupported_scales()

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        a, b = (np.asarray(v, np.int64) for v in inputs)
        if self.y.dtype is DType.INT8:
            return (saturate(self.scaled(a, b) + self.y.zero_point, self.clamp, self.y.dtype),)
        return (saturate(wrap32(self.exact(a, b)), self.clamp, self.y.dtype),)

    @abstractmethod
    def unsupported_scales(self) -> Iterator[str]:
        """Factors that fixed point can't hold."""

    @abstractmethod
    def scaled(self, a: Array, b: Array) -> Array:
        """The result in steps of the output's scale, zero point not yet added."""

    @abstractmethod
    def exact(self, a: Array, b: Array) -> Array:
        """The result for integers without a scale."""
