"""REDUCE_PROD, which shape arithmetic is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..graph import Array
from .checks import INDEX_TYPES, mixed_types, not_constant, wrong_types
from .reduction import Reduction


@dataclass(frozen=True, eq=False)
class ReduceProd(Reduction):
    types = INDEX_TYPES
    kind = "REDUCE_PROD"
    summary = "the product of all values along any axes"
    limits = "constants, folded when compiling; TFLM has none: as LiteRT's reference kernel"
    short = "reduceprod"

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), self.types)
        yield from mixed_types(self, (self.x, self.y))
        yield from not_constant(self.inputs, "input or axes")

    def reduce(self, x: Array) -> Array:
        return np.asarray(x.prod(axis=self.axes or (), dtype=x.dtype))
