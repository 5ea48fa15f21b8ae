"""SHAPE, PACK and STRIDED_SLICE: shape arithmetic, folded away when its inputs are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..graph import Array, Node, Op
from .checks import INDEX_TYPES, integers, not_constant, wrong_shape
from .options import option_bool, option_int


@dataclass(frozen=True, eq=False)
class Shape(Op):
    """Known at compile time, whatever its input holds."""

    kind = "SHAPE"
    summary = "the shape of a tensor"
    limits = "folded when compiling"
    short = "shape"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, (len(self.x.shape),))
        if self.y.dtype not in INDEX_TYPES:
            yield f"{self.y.name} is {self.y.dtype.value}, not int32 or int64"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (np.array(self.x.shape, self.y.dtype.numpy),)


@dataclass(frozen=True, eq=False)
class Pack(Op):
    """Stacks its inputs along a new axis."""

    axis: int

    kind = "PACK"
    summary = "stacks tensors along a new axis"
    limits = "constants only, folded when compiling"
    short = "pack"
    arity = (1, 64)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_int(node, "axis", 0))

    def invalid(self) -> Iterator[str]:
        sources = [t for t in self.inputs if t is not None]
        if len({t.shape for t in sources}) != 1 or len(sources) != len(self.inputs):
            yield "the inputs of PACK differ in shape"
        elif {t.dtype for t in sources} != {self.y.dtype}:
            yield "the inputs and the output of PACK differ in type"
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
    relative_end: bool = False

    kind = "STRIDED_SLICE"
    summary = "x[begin:end:stride]"
    limits = "constants only, folded when compiling"
    short = "slice"
    arity = (4, 4)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        masks = {name: option_int(node, name, 0) for name in names}
        return cls(node.index, node.inputs, node.outputs, relative_end=option_bool(node, "offset"), **masks)

    def slices(self) -> tuple[slice | int, ...]:
        """One NumPy index for each leading axis."""
        begin, end, stride = (t.reshape(-1).tolist() for t in self._tables if t is not None)
        return tuple(self._slice(*item) for item in enumerate(zip(begin, end, stride, strict=True)))

    def _slice(self, axis: int, bounds: tuple[int, int, int]) -> slice | int:
        (first, last, step), bit = bounds, 1 << axis
        if self.shrink_axis_mask & bit:
            return first
        return slice(None if self.begin_mask & bit else first, None if self.end_mask & bit else last, step)

    @property
    def _tables(self) -> tuple[Array | None, ...]:
        """Begin, end and stride of each axis."""
        return tuple(integers(t) for t in self.inputs[1:])

    def invalid(self) -> Iterator[str]:
        tables = [t for t in self.inputs[1:] if t is not None]
        if len({t.elements for t in tables}) != 1 or tables[0].elements > len(self.x.shape):
            yield "begin, end and strides differ in length, or exceed the input's rank"
        elif self.x.dtype is not self.y.dtype:
            yield f"{self.y.describe()} is no slice of {self.x.describe()}"
        elif not (self.ellipsis_mask or self.new_axis_mask) and all(t is not None for t in self._tables):
            yield from self._invalid_slices()

    def _invalid_slices(self) -> Iterator[str]:
        try:
            shape = np.broadcast_to(np.False_, self.x.shape)[self.slices()].shape
        except (IndexError, ValueError) as error:
            yield f"the slice does not fit {self.x.describe()}: {error}"
            return
        yield from wrong_shape(self.y, shape)

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "slice bounds")
        if self.ellipsis_mask or self.new_axis_mask or self.relative_end:
            yield "STRIDED_SLICE with an ellipsis, a new axis or ends relative to the begin"
        if not self.x.is_constant:
            yield "STRIDED_SLICE of values computed at run time"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (np.asarray(x[self.slices()]).reshape(self.y.shape),)
