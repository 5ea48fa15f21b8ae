"""TRANSPOSE: axes in another order. REVERSE_V2: axes backwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from ..graph import DType, Node
from .checks import INDEX_TYPES, integers, not_constant, wrong_shape, wrong_types
from .strided import StridedOp
from .traversal import Axis, Traversal, dense, transposed


@dataclass(frozen=True, eq=False)
class Transpose(StridedOp):
    """Negative axes count from behind, as in LiteRT; TFLM refuses them."""

    kind = "TRANSPOSE"
    summary = "axes in another order"
    limits = "constant order; as LiteRT for more than five dimensions and for types that TFLM refuses"
    short = "transpose"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @cached_property
    def order(self) -> tuple[int, ...] | None:
        """Of each axis of the output the axis of the input; None until the table is known."""
        table, rank = integers(self.inputs[1]), len(self.x.shape)
        return None if table is None else tuple(n + rank if n < 0 else n for n in table.reshape(-1).tolist())

    @cached_property
    def traversal(self) -> Traversal | None:
        return None if self.order is None else transposed(self.x.shape, self.order)

    def invalid(self) -> Iterator[str]:
        if self.x.dtype is not self.y.dtype:
            yield f"{self.y.describe()} is no other order of {self.x.describe()}"
        elif self.order is not None:
            if sorted(self.order) != list(range(len(self.x.shape))):
                yield f"{list(self.order)} is no order of the axes of {self.x.describe()}"
            else:
                yield from wrong_shape(self.y, tuple(self.x.shape[i] for i in self.order))

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "order of axes")
        yield from wrong_types(self, self.inputs[1:], (DType.INT32,))
        yield from super().unsupported()


@dataclass(frozen=True, eq=False)
class ReverseV2(StridedOp):
    """TFLM wants neighbouring axes."""

    kind = "REVERSE_V2"
    summary = "axes backwards"
    limits = "constant, neighbouring axes"
    short = "reverse"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @cached_property
    def axes(self) -> tuple[int, ...] | None:
        """Sorted; None until the table is known."""
        table, rank = integers(self.inputs[1]), len(self.x.shape)
        return None if table is None else tuple(sorted(n + rank if n < 0 else n for n in table.reshape(-1).tolist()))

    @cached_property
    def traversal(self) -> Traversal | None:
        if self.axes is None:
            return None
        along = dense(self.x.shape)
        turned = (Axis(axis.size, -axis.step if i in self.axes else axis.step) for i, axis in enumerate(along))
        return Traversal(sum(along[i].reach for i in self.axes), tuple(turned))

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, self.x.shape)
        if self.x.dtype is not self.y.dtype:
            yield f"{self.y.describe()} is not {self.x.describe()} backwards"
        if self.axes is not None and not set(self.axes) <= set(range(len(self.x.shape))):
            yield f"axes {list(self.axes)} do not exist in {self.x.describe()}"

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "axes")
        yield from wrong_types(self, self.inputs[1:], INDEX_TYPES)
        if self.axes and self.axes != tuple(range(self.axes[0], self.axes[-1] + 1)):
            yield f"axes {list(self.axes)} are not neighbours, or one is named twice"
        yield from super().unsupported()
