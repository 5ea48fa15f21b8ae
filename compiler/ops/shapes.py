"""SHAPE, PACK and STRIDED_SLICE: shape arithmetic, folded away when its inputs are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..graph import Array, Node, Op
from .checks import not_constant, wrong_shape
from .options import option_int


@dataclass(frozen=True, eq=False)
class Shape(Op):
    """Known at compile time, whatever its input holds."""

    kind = "SHAPE"
    short = "shape"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, (len(self.x.shape),))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (np.array(self.x.shape, self.y.dtype.numpy),)


@dataclass(frozen=True, eq=False)
class Pack(Op):
    """Stacks its inputs along a new axis."""

    axis: int

    kind = "PACK"
    short = "pack"
    arity = (1, 64)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_int(node, "axis", 0))

    def invalid(self) -> Iterator[str]:
        sources = [t for t in self.inputs if t is not None]
        if len({t.shape for t in sources}) != 1 or len(sources) != len(self.inputs):
            yield "the inputs of PACK differ in shape"
        elif not -len(self.y.shape) <= self.axis < len(self.y.shape):
            yield f"axis {self.axis} does not exist in {self.y.describe()}"
        else:
            kept = list(self.x.shape)
            kept.insert(self.axis % len(self.y.shape), len(sources))
            yield from wrong_shape(self.y, tuple(kept))

    def unsupported(self) -> Iterator[str]:
        if self.activations:
            yield "PACK of values computed at run time"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (np.stack([v for v in inputs if v is not None], axis=self.axis),)


@dataclass(frozen=True, eq=False)
class StridedSlice(Op):
    """x[begin:end:stride] with TensorFlow's masks; bit i of a mask speaks of axis i."""

    begin_mask: int
    end_mask: int
    ellipsis_mask: int
    new_axis_mask: int
    shrink_axis_mask: int

    kind = "STRIDED_SLICE"
    short = "slice"
    arity = (4, 4)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        return cls(node.index, node.inputs, node.outputs, *(option_int(node, name, 0) for name in names))

    def slices(self) -> tuple[slice | int, ...]:
        """One NumPy index for each leading axis."""
        begin, end, stride = (t.data.reshape(-1) for t in self.inputs[1:] if t is not None and t.data is not None)
        found: list[slice | int] = []
        for axis, (first, last, step) in enumerate(zip(begin.tolist(), end.tolist(), stride.tolist(), strict=True)):
            bit = 1 << axis
            if self.shrink_axis_mask & bit:
                found.append(int(first))
            else:
                found.append(
                    slice(None if self.begin_mask & bit else first, None if self.end_mask & bit else last, step)
                )
        return tuple(found)

    def invalid(self) -> Iterator[str]:
        tables = [t for t in self.inputs[1:] if t is not None]
        if len({t.elements for t in tables}) != 1 or tables[0].elements > len(self.x.shape):
            yield "begin, end and strides differ in length, or exceed the input's rank"
        elif all(t.is_constant for t in tables):
            yield from self._invalid_slices()

    def _invalid_slices(self) -> Iterator[str]:
        try:
            shape = np.empty(self.x.shape, np.bool_)[self.slices()].shape
        except (IndexError, ValueError) as error:
            yield f"the slice does not fit {self.x.describe()}: {error}"
            return
        yield from wrong_shape(self.y, shape)

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "slice bounds")
        if self.ellipsis_mask or self.new_axis_mask:
            yield "ellipsis and new-axis masks"
        if not self.x.is_constant:
            yield "STRIDED_SLICE of values computed at run time"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (np.asarray(x[self.slices()]).reshape(self.y.shape),)
