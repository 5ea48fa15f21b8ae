"""TILE and BROADCAST_TO: values repeated along axes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import prod
from typing import Self

from ..graph import Node, Op, Tensor
from .checks import INDEX_TYPES, integers, not_constant, wrong_shape, wrong_types
from .strided import MOST_AXES, StridedOp, gapped, unmovable
from .strided_slice import between, index_table
from .traversal import Axis, Traversal, dense


@dataclass(frozen=True, eq=False)
class Tile(StridedOp):
    """The second input says how often each axis is repeated."""

    kind = "TILE"
    summary = "a tensor repeated along its axes"
    limits = "constant counts; as LiteRT, TFLM has no such kernel"
    short = "tile"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @cached_property
    def counts(self) -> tuple[int, ...] | None:
        table = integers(self.inputs[1])
        return None if table is None else tuple(table.reshape(-1).tolist())

    @cached_property
    def traversal(self) -> Traversal | None:
        if self.counts is None:
            return None
        pairs = ((Axis(count, 0), axis) for count, axis in zip(self.counts, dense(self.x.shape), strict=True))
        return Traversal(0, tuple(chain.from_iterable(pairs)))

    def invalid(self) -> Iterator[str]:
        if self.x.dtype is not self.y.dtype:
            yield f"{self.y.describe()} does not repeat {self.x.describe()}"
        if self.counts is None:
            return
        if len(self.counts) != len(self.x.shape) or min(self.counts, default=1) < 1:
            yield f"{self.x.describe()} can't be repeated {list(self.counts)} times"
        else:
            yield from wrong_shape(self.y, tuple(n * c for n, c in zip(self.x.shape, self.counts, strict=True)))

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "table of counts")
        yield from wrong_types(self, self.inputs[1:], INDEX_TYPES)
        yield from unmovable(self, (self.x, self.y), self.types)

    def simpler(self) -> tuple[Op, ...]:
        """The inner axes before the outer ones, where all at once are more than a kernel walks."""
        assert self.counts is not None and self.traversal is not None
        repeated = [axis for axis, count in enumerate(self.counts) if count > 1]
        if len(gapped(self.traversal)) <= MOST_AXES:
            return ()
        middle = repeated[len(repeated) // 2]
        inner, outer = (1,) * middle + self.counts[middle:], self.counts[:middle] + (1,) * (len(self.counts) - middle)
        shape = tuple(n * count for n, count in zip(self.x.shape, inner, strict=True))
        part = between(self.y, "inner", shape)
        return self._times(inner, self.x, part), self._times(outer, part, self.y)

    def _times(self, counts: tuple[int, ...], x: Tensor, y: Tensor) -> Op:
        return Tile(self.index, (x, index_table(f"{y.name}:counts", counts)), (y,))


@dataclass(frozen=True, eq=False)
class BroadcastTo(StridedOp):
    """The wanted shape is the output's; the second input has to agree."""

    kind = "BROADCAST_TO"
    summary = "axes of size 1 repeated, and new ones in front"
    limits = "constant shape; at most five dimensions, as in TFLM"
    short = "broadcast"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @cached_property
    def traversal(self) -> Traversal:
        new = len(self.y.shape) - len(self.x.shape)
        along = (*(Axis(1, 0),) * new, *dense(self.x.shape))
        repeated = (axis if axis.size == n else Axis(n, 0) for n, axis in zip(self.y.shape, along, strict=True))
        return Traversal(0, tuple(repeated))

    def invalid(self) -> Iterator[str]:
        new, shape = len(self.y.shape) - len(self.x.shape), integers(self.inputs[1])
        pairs = zip(self.x.shape, self.y.shape[max(new, 0) :], strict=False)
        if new < 0 or any(n not in (1, m) for n, m in pairs) or self.x.dtype is not self.y.dtype:
            yield f"{self.x.describe()} can't be repeated to {self.y.describe()}"
        elif shape is not None:
            yield from wrong_shape(self.y, tuple(shape.reshape(-1).tolist()))

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "shape")
        yield from wrong_types(self, self.inputs[1:], INDEX_TYPES)
        if len(self.y.shape) > MOST_DIMENSIONS and prod(self.y.shape) > self.x.elements:
            yield f"{self.y.describe()} has more than {MOST_DIMENSIONS} dimensions"
        yield from super().unsupported()


MOST_DIMENSIONS = 5
