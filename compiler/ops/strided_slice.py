"""STRIDED_SLICE: x[begin:end:stride] with TensorFlow's masks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import NamedTuple, Self

import numpy as np

from ..graph import Array, DType, Node, Region, Span, Tensor
from .checks import integers, not_constant, wrong_shape
from .options import option_bool, option_int
from .strided import StridedOp
from .traversal import Axis, Traversal, dense

NEW = None  # in the place of an index, as NumPy has it


class Window(NamedTuple):
    """Which rows, columns and channels of an image are taken; all steps are positive."""

    rows: range
    columns: range
    channels: range


@dataclass(frozen=True, eq=False)
class StridedSlice(StridedOp):
    """Bit i of a mask speaks of the i-th entry of the tables."""

    begin_mask: int
    end_mask: int
    ellipsis_mask: int
    new_axis_mask: int
    shrink_axis_mask: int
    relative_end: bool = False

    kind = "STRIDED_SLICE"
    summary = "x[begin:end:stride]"
    limits = (
        "constant bounds, as TFLM without rescaling; as LiteRT what TFLM refuses: ellipses, new axes, ends relative to "
        "the begin, more than four dimensions"
    )
    short = "slice"
    arity = (4, 4)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        masks = {name: option_int(node, name, 0) for name in names}
        return cls(node.index, node.inputs, node.outputs, relative_end=option_bool(node, "offset"), **masks)

    def slices(self) -> tuple[slice | int | None, ...]:
        """One NumPy index for each entry; an ellipsis is written out."""
        begin, end, stride = (t.reshape(-1).tolist() for t in self._tables if t is not None)
        found: list[slice | int | None] = []
        for entry, bounds in enumerate(zip(begin, end, stride, strict=True)):
            if self._is_ellipsis(entry):
                found += [slice(None)] * (len(self.x.shape) - self._named(len(begin)))
            else:
                found.append(self._index(entry, *bounds))
        return tuple(found)

    def _is_ellipsis(self, entry: int) -> bool:
        """Only the first counts."""
        return self.ellipsis_mask & -self.ellipsis_mask == 1 << entry

    def _named(self, entries: int) -> int:
        """How many axes of the input the tables speak of."""
        return sum(not self._is_ellipsis(i) and not self.new_axis_mask >> i & 1 for i in range(entries))

    def _index(self, entry: int, begin: int, end: int, step: int) -> slice | int | None:
        bit = 1 << entry
        if self.new_axis_mask & bit:
            return NEW
        if self.shrink_axis_mask & bit:
            return 0 if self.begin_mask & bit else begin
        stop = begin + end if self.relative_end else end
        return slice(None if self.begin_mask & bit else begin, None if self.end_mask & bit else stop, step)

    @property
    def _tables(self) -> tuple[Array | None, ...]:
        """Begin, end and stride of each axis."""
        return tuple(integers(t) for t in self.inputs[1:])

    @cached_property
    def taken(self) -> tuple[range, ...]:
        """The places that are taken along each axis of the input."""
        given = [_as_slice(index) for index in self.slices() if index is not NEW]
        given += [slice(None)] * (len(self.x.shape) - len(given))
        return tuple(range(size)[part] for part, size in zip(given, self.x.shape, strict=True))

    @cached_property
    def traversal(self) -> Traversal | None:
        if any(t is None for t in self._tables):
            return None
        steps = [axis.step for axis in dense(self.x.shape)]
        first = sum(part.start * step for part, step in zip(self.taken, steps, strict=True))
        axes = (Axis(len(part), part.step * step) for part, step in zip(self.taken, steps, strict=True))
        return Traversal(first, tuple(axes))

    @cached_property
    def image_window(self) -> Window | None:
        """None where the output is no such window of the input's image."""
        if len(self.x.shape) < 3 or self.traversal is None:
            return None
        *before, columns, channels = self.taken
        rows = before[-1]
        if prod(self.x.shape[:-3]) != 1 or min(r.step for r in (rows, columns, channels)) < 1:
            return None
        alike = (len(rows), len(columns), len(channels)) == self.y.image
        return Window(rows, columns, channels) if alike else None

    @property
    def streams(self) -> bool:
        return self.image_window is not None or super().streams

    def window(self, index: int, region: Region) -> Region:
        window = self.image_window
        if window is None:
            return super().window(index, region)
        return Region(_places(window.rows, region.rows), _places(window.columns, region.columns))

    def invalid(self) -> Iterator[str]:
        tables = [t for t in self.inputs[1:] if t is not None]
        if len({t.elements for t in tables}) != 1 or self._named(tables[0].elements) > len(self.x.shape):
            yield "begin, end and strides differ in length, or exceed the input's rank"
        elif self.x.dtype is not self.y.dtype:
            yield f"{self.y.describe()} is no slice of {self.x.describe()}"
        elif all(t is not None for t in self._tables):
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
        begin, _, stride = self._tables
        if stride is not None and any(n < 0 and self.shrink_axis_mask >> i & 1 for i, n in enumerate(stride.flat)):
            yield "an axis that is dropped is walked backwards, which has no meaning"
        counts_back = any(t is not None and bool((t < 0).any()) for t in (begin, stride))
        if self.relative_end and (counts_back or self.begin_mask or self.end_mask):
            yield "ends relative to the begin, together with masks or negative numbers"
        yield from self._unclear_masks()
        yield from super().unsupported()

    def _unclear_masks(self) -> Iterator[str]:
        """Where LiteRT does something of its own, or several things are said of one axis."""
        named = self._named(self.inputs[1].elements) if self.inputs[1] is not None else 0
        if self.ellipsis_mask and named >= len(self.x.shape):
            yield "an ellipsis in the place of no axis"
        if self.ellipsis_mask & (self.ellipsis_mask - 1) or self.new_axis_mask & self.shrink_axis_mask:
            yield "several ellipses, or new axes that are dropped"


def slice_of(
    index: int, x: Tensor, y: Tensor, begin: tuple[int, ...], sizes: tuple[int, ...], stride: tuple[int, ...] = ()
) -> StridedSlice:
    """`sizes` elements of each axis, from `begin` on."""
    step = stride or (1,) * len(begin)
    end = (b + (n - 1) * s + 1 for b, n, s in zip(begin, sizes, step, strict=True))
    tables = (index_table(f"{y.name}:{name}", v) for name, v in (("begin", begin), ("end", tuple(end)), ("step", step)))
    return StridedSlice(index, (x, *tables), (y,), 0, 0, 0, 0, 0)


def index_table(name: str, values: tuple[int, ...]) -> Tensor:
    """A new constant of an operator that says itself with others."""
    return Tensor(name, (len(values),), DType.INT32, None, np.array(values, np.int32))


def between(tensor: Tensor, part: str, shape: tuple[int, ...]) -> Tensor:
    """A new tensor between the operators that one is made of."""
    return replace(tensor, name=f"{tensor.name}:{part}", shape=shape)


def _as_slice(index: slice | int | None) -> slice:
    """An index as the slice of one that it means."""
    if isinstance(index, slice):
        return index
    assert index is not None
    return slice(index, index + 1 if index != -1 else None)


def _places(taken: range, span: Span) -> Span:
    return Span(taken[span.start], taken[span.stop - 1] + 1) if span.size else Span(0, 0)
