"""Operators that make each value from the one value at the same place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..graph import Op, Region
from .checks import wrong_shape


@dataclass(frozen=True, eq=False)
class ElementwiseOp(Op):
    """One input, one output of the same shape."""

    arity = (1, 1)

    @property
    def streams(self) -> bool:
        return True

    def window(self, index: int, region: Region) -> Region:
        return region

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, self.x.shape)
