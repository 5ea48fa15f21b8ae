"""REDUCE_ALL and REDUCE_ANY over any axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph import Array, DType
from .reduction import Reduction


@dataclass(frozen=True, eq=False)
class ReduceAll(Reduction):
    types = (DType.BOOL,)
    kind = "REDUCE_ALL"
    summary = "whether all values along any axes are true"
    limits = "constant axes"
    short = "reduceall"

    def reduce(self, x: Array) -> Array:
        return np.asarray(x.all(axis=self.axes or ()))


@dataclass(frozen=True, eq=False)
class ReduceAny(Reduction):
    types = (DType.BOOL,)
    kind = "REDUCE_ANY"
    summary = "whether any value along any axes is true"
    limits = "as LiteRT; constant axes"
    short = "reduceany"

    def reduce(self, x: Array) -> Array:
        return np.asarray(x.any(axis=self.axes or ()))
