"""What operators that make one value of all along some axes share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import ClassVar, Self

import numpy as np

from ..arith import Multiplier, rescale, saturate, wrap32
from ..graph import Array, Clamp, DType, Node, Op, Region, Rounding, Span
from .checks import (
    INDEX_TYPES,
    integers,
    mixed_types,
    not_constant,
    not_per_tensor,
    too_steep,
    wrong_shape,
    wrong_types,
)
from .options import option_bool


@dataclass(frozen=True, eq=False)
class Reduction(Op):
    """`axes` are resolved (not negative, sorted, each once); None until their table is known."""

    axes: tuple[int, ...] | None
    keep_dims: bool

    arity = (2, 2)
    types: ClassVar[tuple[DType, ...]] = (DType.INT8, DType.INT16, DType.UINT8)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, None, option_bool(node, "keep_dims"))

    def __post_init__(self) -> None:
        """The table may become known later, when a pass has folded what computes it."""
        table, rank = integers(self.inputs[1]), len(self.x.shape)
        if self.axes is None and table is not None:
            axes = tuple(sorted({int(a) + rank if a < 0 else int(a) for a in table.reshape(-1)}))
            object.__setattr__(self, "axes", axes)

    @property
    def count(self) -> int:
        """Of how many values each output is made, as far as the axes exist."""
        return prod(n for a, n in enumerate(self.x.shape) if a in (self.axes or ()))

    @cached_property
    def is_global(self) -> bool:
        """All rows and columns go, the channels stay?"""
        image, rank = self.x.image, len(self.x.shape)
        return rank >= 3 and rank - 1 not in (self.axes or ()) and self.count == image.rows * image.columns

    @cached_property
    def by_pixel(self) -> bool:
        """Does each pixel of the output see the pixel at its place?"""
        rank = len(self.x.shape)
        return rank >= 3 and self.axes == (rank - 1,) and self.keep_dims

    @cached_property
    def by_row(self) -> bool:
        """Does each pixel of the output see a row of the input? Numbered as the rows are."""
        rank, y = len(self.x.shape), self.y.image
        inside = bool(self.axes) and set(self.axes or ()) <= {rank - 2, rank - 1}
        return rank >= 3 and inside and not self.by_pixel and y.rows * y.columns == self.x.image.rows

    @property
    def streams(self) -> bool:
        return self.by_pixel or self.by_row

    def window(self, index: int, region: Region) -> Region:
        if self.by_pixel:
            return region
        if not self.by_row:
            return self.x.whole
        (first, last), (start, stop), columns = region.rows, region.columns, self.y.image.columns
        rows = Span(first * columns + start, (last - 1) * columns + stop) if region.size else Span(0, 0)
        return Region(rows, self.x.whole.columns)

    def invalid(self) -> Iterator[str]:
        if self.axes is None:
            return
        rank = len(self.x.shape)
        if any(not 0 <= a < rank for a in self.axes):
            yield f"axes {self.axes} do not exist in {self.x.describe()}"
            return
        kept = [1 if a in self.axes else n for a, n in enumerate(self.x.shape)]
        dropped = [n for a, n in enumerate(self.x.shape) if a not in self.axes]
        yield from wrong_shape(self.y, tuple(kept if self.keep_dims else dropped))

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), self.types)
        yield from mixed_types(self, (self.x, self.y))
        yield from not_per_tensor((self.x, self.y))
        yield from self.unsupported_axes()

    def unsupported_axes(self) -> Iterator[str]:
        yield from not_constant((self.inputs[1],), "axes")
        yield from wrong_types(self, (self.inputs[1],), INDEX_TYPES)
        if self.x.elements == 0:
            yield f"{self.x.describe()} is empty"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (self.reduce(x).reshape(self.y.shape).astype(self.y.dtype.numpy),)

    @abstractmethod
    def reduce(self, x: Array) -> Array:
        """The output's values, in its bounds; `axes` may still be there."""


@dataclass(frozen=True, eq=False)
class ScaledSum(Reduction):
    """A sum in 32 bits, which wraps, and is scaled to the output's quantisation."""

    rounding: Rounding

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, None, option_bool(node, "keep_dims"), Rounding.DOUBLE)

    @abstractmethod
    def scale(self) -> Multiplier:
        """From a step of the sum to one of the output."""

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.x.quant is not None and self.y.quant is not None and self.count:
            yield from too_steep(self.y, self.scale())

    def reduce(self, x: Array) -> Array:
        total = x.sum(axis=self.axes or (), dtype=np.int64) - self.x.zero_point * self.count
        mantissa, shift = self.scale()
        scaled = rescale(wrap32(total), mantissa, shift, self.rounding) + self.y.zero_point
        return saturate(scaled, Clamp(*self.y.dtype.bounds), self.y.dtype)
