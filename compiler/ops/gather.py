"""GATHER: slices of a tensor along an axis, in the order of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import ClassVar, Self

import numpy as np

from ..graph import Array, DType, Node, Op, Region, Span
from .checks import INDEX_TYPES, integers, wrong_shape, wrong_types
from .options import option_int
from .reshape import Reshape
from .strided import MOVED, unmovable
from .strided_slice import between, index_table, slice_of

MOST_PLACES = 1 << 16  # that a table may speak of


@dataclass(frozen=True, eq=False)
class Gather(Op):
    """`axis` and `batches` count from the front; the first `batches` axes of both inputs go together."""

    axis: int
    batches: int = 0

    kind = "GATHER"
    summary = "slices along an axis, in the order of a table"
    limits = (
        "as LiteRT for types that TFLM refuses; places computed at run time that lie outside mean the nearest inside"
    )
    short = "gather"
    types: ClassVar[tuple[DType, ...]] = MOVED
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        axis, batches = option_int(node, "axis", 0), option_int(node, "batch_dims", 0)
        x, table = (0 if t is None else len(t.shape) for t in node.inputs[:2])
        axis, batches = axis + x if axis < 0 else axis, batches + table if batches < 0 else batches
        return cls(node.index, node.inputs, node.outputs, axis, batches)

    @cached_property
    def table(self) -> Array | None:
        return integers(self.inputs[1])

    @property
    def _is_image(self) -> bool:
        """Is it about rows, columns or channels of the input's image?"""
        return len(self.x.shape) >= 3 and self.table is not None and self.table.ndim == 1 and not self.batches

    @property
    def _behind(self) -> int:
        """How many axes follow."""
        return len(self.x.shape) - 1 - self.axis

    @cached_property
    def rows(self) -> Array:
        """Of each row of the output's image that of the input's; `columns` in the same way."""
        images = np.arange(self.x.image.rows)
        if self._behind < 2 or self.table is None:
            return images
        grid = images.reshape(prod(self.x.shape[: self.axis]), self.x.shape[self.axis], -1)
        return np.asarray(grid[:, self.table].reshape(-1))

    @cached_property
    def columns(self) -> Array:
        every = np.arange(self.x.image.columns)
        return every if self._behind != 1 or self.table is None else np.asarray(self.table)

    @property
    def channels(self) -> Array | None:
        """None: all, in their order."""
        return self.table if self._behind == 0 else None

    @property
    def streams(self) -> bool:
        return self._is_image

    @cached_property
    def _row_spans(self) -> tuple[Array, Array]:
        """Of each row of the output the first input row that it, or one after it, is a copy of; and the last for
        those before. Windows may only move down, so rows in falling order need all that lies between."""
        return np.minimum.accumulate(self.rows[::-1])[::-1], np.maximum.accumulate(self.rows)

    def window(self, index: int, region: Region) -> Region:
        if not self._is_image:
            return super().window(index, region)
        if not region.rows.size or not region.columns.size:
            return Region(Span(0, 0), Span(0, 0))
        columns, (firsts, lasts) = self.columns[slice(*region.columns)], self._row_spans
        rows = Span(int(firsts[region.rows.start]), int(lasts[region.rows.stop - 1]) + 1)
        return Region(rows, Span(int(columns.min()), int(columns.max()) + 1))

    def invalid(self) -> Iterator[str]:
        x, places = self.x.shape, self.inputs[1]
        assert places is not None
        if not 0 <= self.axis < len(x) or not 0 <= self.batches <= min(self.axis, len(places.shape)):
            yield f"axis {self.axis} or {self.batches} common axes do not exist in {self.x.describe()}"
            return
        if x[: self.batches] != places.shape[: self.batches] or self.x.dtype is not self.y.dtype:
            yield f"{self.x.describe()}, {places.describe()} and {self.y.describe()} do not fit"
        if self.table is not None and not ((self.table >= 0) & (self.table < x[self.axis])).all():
            yield f"{places.name} has places outside {self.x.describe()} along axis {self.axis}"
        yield from wrong_shape(self.y, (*x[: self.axis], *places.shape[self.batches :], *x[self.axis + 1 :]))

    def unsupported(self) -> Iterator[str]:
        places = self.inputs[1]
        assert places is not None
        yield from wrong_types(self, (places,), INDEX_TYPES if places.is_constant else (DType.INT32,))
        yield from unmovable(self, (self.x, self.y))
        if self.table is None or not self.activations:
            return
        if max(self.x.elements, self.y.elements) // self.piece > MOST_PLACES:
            yield f"{self.x.describe()} or {self.y.describe()} has more than {MOST_PLACES} places to choose from"
        elif self._is_image and max(*self.x.image[:2], *self.y.image[:2]) > MOST_PLACES:
            yield f"{self.x.describe()} or {self.y.describe()} has more than {MOST_PLACES} rows or columns"

    @property
    def piece(self) -> int:
        """Elements that stay together."""
        return prod(self.x.shape[self.axis + 1 :])

    def simpler(self) -> tuple[Op, ...]:
        if self.table is None:
            return ()
        if not self.batches and self.table.ndim < 2 and (step := _distance(self.table)):
            return self._as_slice(step)
        return () if self._is_image else self._as_columns()

    def _as_slice(self, step: int) -> tuple[Op, ...]:
        """Places at equal distances."""
        assert self.table is not None
        rank, count = len(self.x.shape), self.table.size
        begin = tuple(int(self.table.flat[0]) if i == self.axis else 0 for i in range(rank))
        sizes = tuple(count if i == self.axis else n for i, n in enumerate(self.x.shape))
        steps = tuple(step if i == self.axis else 1 for i in range(rank))
        if sizes == self.y.shape:
            return (slice_of(self.index, self.x, self.y, begin, sizes, steps),)
        part = between(self.y, "part", sizes)
        return slice_of(self.index, self.x, part, begin, sizes, steps), Reshape(self.index, (part,), self.outputs)

    def _as_columns(self) -> tuple[Op, ...]:
        """Pieces of the input as columns of one row; single values as channels of one pixel."""
        places = self._all_places()
        shape, count = (1, self.x.elements // self.piece, self.piece), len(places)
        lined, chosen = between(self.y, "lined", shape), between(self.y, "chosen", (1, count, self.piece))
        lined = replace(lined, quant=self.x.quant)
        axis = 1
        if self.piece == 1:
            lined, chosen, axis = replace(lined, shape=(1, 1, shape[1])), replace(chosen, shape=(1, 1, count)), 2
        table = index_table(f"{self.y.name}:places", places)
        pick = Gather(self.index, (lined, table), (chosen,), axis)
        return (
            Reshape(self.index, (self.x,), (lined,)),
            pick,
            Reshape(self.index, (chosen,), self.outputs),
        )

    def _all_places(self) -> tuple[int, ...]:
        """Numbers of pieces, counted through the whole input."""
        assert self.table is not None
        return tuple(self._places(self.table).tolist())

    @property
    def groups(self) -> tuple[int, int]:
        """Batches, and in each how many groups of pieces its places choose from."""
        return prod(self.x.shape[: self.batches]), prod(self.x.shape[self.batches : self.axis])

    def _places(self, table: Array) -> Array:
        batches, groups = self.groups
        firsts = np.arange(batches * groups).reshape(batches, groups, 1) * self.x.shape[self.axis]
        return np.asarray(firsts + table.reshape(batches, 1, -1)).reshape(-1)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x, table = inputs
        assert x is not None and table is not None
        inside = np.clip(table.astype(np.int64), 0, self.x.shape[self.axis] - 1)
        pieces = x.reshape(-1, self.piece)[self._places(inside)]
        return (np.ascontiguousarray(pieces).reshape(self.y.shape),)


def _distance(table: Array) -> int:
    """Between neighbouring places, if all are equally far apart; 0 if not."""
    if table.size < 2:
        return 1
    steps = np.diff(table.reshape(-1))
    return int(steps[0]) if (steps == steps[0]).all() and steps[0] > 0 else 0
