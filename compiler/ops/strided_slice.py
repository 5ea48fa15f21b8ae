"""STRIDED_SLICE: x[begin:end:stride] with TensorFlow's masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple, Self

import numpy as np

from ..graph import Array, DType, Node, Op, Region, Span
from .checks import integers, not_constant, not_per_tensor, wrong_shape, wrong_types
from .options import option_bool, option_int


class Window(NamedTuple):
    """Which rows, columns and channels of an image are taken; all steps are positive."""

    rows: range
    columns: range
    channels: range


@dataclass(frozen=True, eq=False)
class StridedSlice(Op):
    """Bit i of a mask speaks of axis i."""

    begin_mask: int
    end_mask: int
    ellipsis_mask: int
    new_axis_mask: int
    shrink_axis_mask: int
    relative_end: bool = False

    kind = "STRIDED_SLICE"
    summary = "x[begin:end:stride]"
    limits = "int8, constant bounds, as TFLM without rescaling; any constants, folded when compiling"
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

    @property
    def taken(self) -> tuple[range, ...]:
        """The places that are taken along each axis of the input."""
        given = [*map(_as_slice, self.slices())]
        given += [slice(None)] * (len(self.x.shape) - len(given))
        return tuple(range(size)[part] for part, size in zip(given, self.x.shape, strict=True))

    @cached_property
    def image_window(self) -> Window | None:
        """None where the output is no such window of the input's image."""
        if len(self.x.shape) < 3 or self._unsupported_masks or any(t is None for t in self._tables):
            return None
        *before, columns, channels = self.taken
        rows = before[-1]
        if prod(self.x.shape[:-3]) != 1 or min(r.step for r in (rows, columns, channels)) < 1:
            return None
        alike = (len(rows), len(columns), len(channels)) == self.y.image
        return Window(rows, columns, channels) if alike else None

    @property
    def streams(self) -> bool:
        return self.image_window is not None

    def window(self, index: int, region: Region) -> Region:
        window = self.image_window
        if window is None:
            return self.x.whole
        return Region(_places(window.rows, region.rows), _places(window.columns, region.columns))

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

    @property
    def _unsupported_masks(self) -> bool:
        return bool(self.ellipsis_mask or self.new_axis_mask or self.relative_end)

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "slice bounds")
        if self._unsupported_masks:
            yield "STRIDED_SLICE with an ellipsis, a new axis or ends relative to the begin"
        if not self.x.is_constant:
            yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
            yield from not_per_tensor((self.x, self.y))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (np.asarray(x[self.slices()]).reshape(self.y.shape),)


def _as_slice(index: slice | int) -> slice:
    """An index as the slice of one that it means."""
    if isinstance(index, slice):
        return index
    return slice(index, index + 1 if index != -1 else None)


def _places(taken: range, span: Span) -> Span:
    return Span(taken[span.start], taken[span.stop - 1] + 1) if span.size else Span(0, 0)
