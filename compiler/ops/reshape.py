"""RESHAPE, EXPAND_DIMS, SQUEEZE: the same bytes under another shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Self

from ..graph import Array, DType, Node, Op
from .checks import INDEX_TYPES, integers, not_constant, wrong_shape, wrong_types
from .strided import MOVED, unmovable


@dataclass(frozen=True, eq=False)
class ViewOp(Op):
    """The wanted shape is the output's."""

    types: ClassVar[tuple[DType, ...]] = MOVED

    @property
    def is_view(self) -> bool:
        return True

    def invalid(self) -> Iterator[str]:
        if self.x.elements != self.y.elements or self.x.dtype is not self.y.dtype:
            yield f"{self.x.describe()} can't become {self.y.describe()}"

    def unsupported(self) -> Iterator[str]:
        yield from unmovable(self, (self.x, self.y))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (x.reshape(self.y.shape),)


@dataclass(frozen=True, eq=False)
class Reshape(ViewOp):
    """`asked` is the shape that the file wants, which the output's repeats; -1 stands for whatever is left."""

    asked: tuple[int, ...] = ()

    kind = "RESHAPE"
    summary = "the same values under another shape, without code"
    limits = "without code"
    short = "reshape"
    arity = (1, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        table = integers(node.inputs[1]) if len(node.inputs) > 1 else None
        option = node.options.get("new_shape") or ()
        asked = option if table is None else table.reshape(-1).tolist()
        return cls(node.index, node.inputs[:1], node.outputs, tuple(asked) if isinstance(asked, (tuple, list)) else ())

    def invalid(self) -> Iterator[str]:
        shape = self._asked_shape()
        if self.x.elements != self.y.elements and shape is not None:
            yield from wrong_shape(self.y, shape)
        yield from super().invalid()

    def _asked_shape(self) -> tuple[int, ...] | None:
        known = prod(n for n in self.asked if n != -1)
        if self.asked.count(-1) > 1 or known < 1 or self.x.elements % known:
            return None
        shape = tuple(self.x.elements // known if n == -1 else n for n in self.asked)
        return shape if prod(shape) == self.x.elements else None


@dataclass(frozen=True, eq=False)
class ExpandDims(ViewOp):
    """A new axis of size 1; the second input says before which."""

    kind = "EXPAND_DIMS"
    summary = "a new axis of size 1, without code"
    limits = "constant axis"
    short = "expand_dims"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def simpler(self) -> tuple[Op, ...]:
        return (Reshape(self.index, self.inputs[:1], self.outputs),)

    def invalid(self) -> Iterator[str]:
        yield from super().invalid()
        table, rank = integers(self.inputs[1]), len(self.x.shape) + 1
        if table is None:
            return
        if table.size != 1 or not -rank <= table.item() < rank:
            yield f"axis {table.reshape(-1).tolist()} does not exist in {self.y.describe()}"
            return
        shape = list(self.x.shape)
        shape.insert(table.item() % rank, 1)
        yield from wrong_shape(self.y, tuple(shape))

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from not_constant(self.inputs[1:], "axis")
        yield from wrong_types(self, self.inputs[1:], INDEX_TYPES)


@dataclass(frozen=True, eq=False)
class Squeeze(ViewOp):
    """Drops axes of size 1: those of its option, or all. The output says which."""

    axes: tuple[int, ...] = ()

    kind = "SQUEEZE"
    summary = "axes of size 1 dropped, without code"
    limits = "without code"
    short = "squeeze"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        axes = node.options.get("squeeze_dims")
        return cls(node.index, node.inputs, node.outputs, axes if isinstance(axes, tuple) else ())

    def simpler(self) -> tuple[Op, ...]:
        return (Reshape(self.index, self.inputs, self.outputs),)

    def invalid(self) -> Iterator[str]:
        rank = len(self.x.shape)
        dropped = {axis + rank if axis < 0 else axis for axis in self.axes}
        if dropped and self.x.elements != self.y.elements:
            yield from wrong_shape(self.y, tuple(n for i, n in enumerate(self.x.shape) if i not in dropped or n != 1))
        yield from super().invalid()
        if [n for n in self.x.shape if n != 1] != [n for n in self.y.shape if n != 1]:
            yield f"{self.y.describe()} is not {self.x.describe()} without axes of size 1"
