"""MAXIMUM and MINIMUM, with broadcasting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..graph import Array, DType
from .broadcast import BroadcastOp


@dataclass(frozen=True, eq=False)
class ExtremeOp(BroadcastOp):
    """Compares and passes on values as they are, whatever scales are stated."""

    limits = "per tensor, as TFLM without rescaling; int32 and int64 constants, folded when compiling"
    folded = (DType.INT32, DType.INT64)

    def scaled(self, a: Array, b: Array) -> Array:
        return self.exact(a, b) - self.y.zero_point


@dataclass(frozen=True, eq=False)
class Maximum(ExtremeOp):
    kind = "MAXIMUM"
    summary = "the larger of two tensors' values, with broadcasting"
    short = "maximum"
    result = "maximum"

    def exact(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)


@dataclass(frozen=True, eq=False)
class Minimum(ExtremeOp):
    kind = "MINIMUM"
    summary = "the smaller of two tensors' values, with broadcasting"
    short = "minimum"
    result = "minimum"

    def exact(self, a: Array, b: Array) -> Array:
        return np.minimum(a, b)
