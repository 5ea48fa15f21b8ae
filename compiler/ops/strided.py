"""What TRANSPOSE, STRIDED_SLICE, TILE... have in common: values at equal distances are moved, and none is changed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

from ..errors import InternalError
from ..graph import Array, DType, Node, Op, Region, Tensor
from .checks import not_per_tensor, wrong_types
from .regroup import Regroup, regroup
from .traversal import Traversal

MOVED = (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.BOOL)
MOST_AXES = 6  # after merging, and besides a last one without gaps


def unmovable(op: Op, tensors: tuple[Tensor, ...], types: tuple[DType, ...] = MOVED) -> Iterator[str]:
    """Anything is moved when compiling; at run time what may lie inside a network."""
    if op.activations:
        yield from wrong_types(op, tensors, types)
        yield from not_per_tensor(tensors)


@dataclass(frozen=True, eq=False)
class StridedOp(Op):
    """Subclasses say which element goes where; only asked if they are valid and supported."""

    types: ClassVar[tuple[DType, ...]] = MOVED

    @property
    @abstractmethod
    def traversal(self) -> Traversal | None:
        """None while a table that it depends on is not known."""

    @cached_property
    def regroup(self) -> Regroup | None:
        """How rows of an image are put together from rows of an image, if they are."""
        walk = self.traversal
        return None if walk is None else regroup(walk, self.x.image, self.y.image)

    @property
    def streams(self) -> bool:
        return self.regroup is not None

    def window(self, index: int, region: Region) -> Region:
        return self.x.whole if self.regroup is None else self.regroup.window(region)

    @property
    def is_view(self) -> bool:
        """Where only axes of size 1 move, nothing does."""
        walk = self.traversal
        return walk is not None and walk.in_order and self.x.elements == self.y.elements

    def unsupported(self) -> Iterator[str]:
        yield from unmovable(self, (self.x, self.y), self.types)
        if self.activations and self.traversal is not None and len(gapped(self.traversal)) > MOST_AXES:
            yield f"more than {MOST_AXES} axes of {self.y.describe()} are in another order"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None and self.traversal is not None
        return (self.traversal.take(x).reshape(self.y.shape),)


def gapped(traversal: Traversal) -> tuple[tuple[int, int], ...]:
    """The merged axes, without the last if its elements are neighbours."""
    axes = traversal.merged
    return axes[:-1] if axes and axes[-1].step == 1 else axes


@dataclass(frozen=True, eq=False)
class Rearrange(StridedOp):
    """Not in any file: what several operators that move values amount to."""

    walk: Traversal

    kind = "REARRANGE"
    summary = "several operators that move values, as one"
    limits = "never in a file"
    short = "rearrange"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        raise InternalError(f"op {node.index}: no file has rearrangements")

    @property
    def traversal(self) -> Traversal:
        return self.walk

    def invalid(self) -> Iterator[str]:
        if self.walk.count != self.y.elements or not self.walk.stays_inside(self.x.elements):
            yield f"{self.y.describe()} is no part of {self.x.describe()}"
