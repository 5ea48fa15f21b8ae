"""REDUCE_MAX and REDUCE_MIN over any axes: values are chosen, not rescaled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..graph import Array
from .checks import differing_quant
from .reduction import Reduction


@dataclass(frozen=True, eq=False)
class ReduceExtreme(Reduction):
    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from differing_quant(self, (self.x,))


@dataclass(frozen=True, eq=False)
class ReduceMax(ReduceExtreme):
    kind = "REDUCE_MAX"
    summary = "largest value along any axes"
    limits = "int16 and uint8 as LiteRT; constant axes; input and output quantised alike"
    short = "reducemax"

    def reduce(self, x: Array) -> Array:
        return np.asarray(x.max(axis=self.axes or ()))


@dataclass(frozen=True, eq=False)
class ReduceMin(ReduceExtreme):
    kind = "REDUCE_MIN"
    summary = "smallest value along any axes"
    limits = "int16 and uint8 as LiteRT; constant axes; input and output quantised alike"
    short = "reducemin"

    def reduce(self, x: Array) -> Array:
        return np.asarray(x.min(axis=self.axes or ()))
