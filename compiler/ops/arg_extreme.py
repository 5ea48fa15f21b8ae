"""ARG_MAX and ARG_MIN: where along one axis the extreme value lies, the first if there are several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..graph import Array, DType, Node
from .checks import not_per_tensor, wrong_types
from .reduction import Reduction


@dataclass(frozen=True, eq=False)
class ArgExtreme(Reduction):
    """The axis is always dropped."""

    types = (DType.INT8, DType.UINT8)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, None, False)

    @property
    def axis(self) -> int:
        assert self.axes is not None
        return self.axes[0]

    def invalid(self) -> Iterator[str]:
        if self.axes is not None and len(self.axes) != 1:
            yield f"{self.kind} takes one axis, not {len(self.axes)}"
            return
        yield from super().invalid()

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x,), self.types)
        yield from wrong_types(self, (self.y,), (DType.INT32, DType.INT64))
        yield from not_per_tensor((self.x,))
        yield from self.unsupported_axes()


@dataclass(frozen=True, eq=False)
class ArgMax(ArgExtreme):
    kind = "ARG_MAX"
    summary = "where along an axis the largest value lies"
    limits = "to int32; from uint8 and to int64 as LiteRT; constant axis"
    short = "argmax"

    def reduce(self, x: Array) -> Array:
        return np.asarray(x.argmax(axis=self.axis))


@dataclass(frozen=True, eq=False)
class ArgMin(ArgExtreme):
    kind = "ARG_MIN"
    summary = "where along an axis the smallest value lies"
    limits = "to int32; from uint8 and to int64 as LiteRT; constant axis"
    short = "argmin"

    def reduce(self, x: Array) -> Array:
        return np.asarray(x.argmin(axis=self.axis))
