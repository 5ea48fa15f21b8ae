"""SQUARE, SIN, COS, FLOOR, CEIL, ROUND: TFLM has them for real numbers alone, so between conversions only."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import InternalError
from ..graph import Array, DType
from .checks import wrong_types
from .elementwise import ElementwiseOp
from .real import RealOp, each


@dataclass(frozen=True, eq=False)
class RealOnlyOp(RealOp, ElementwiseOp):
    limits = "only between DEQUANTIZE and QUANTIZE, where it becomes a table"
    types: ClassVar[tuple[DType, ...]] = (DType.FLOAT32,)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), self.types)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        raise InternalError(f"{self.label} was asked for integers")


@dataclass(frozen=True, eq=False)
class Square(RealOnlyOp):
    kind = "SQUARE"
    summary = "the square of each value"
    short = "square"

    def on_real(self, x: Array) -> Array:
        return x * x


@dataclass(frozen=True, eq=False)
class Sin(RealOnlyOp):
    kind = "SIN"
    summary = "the sine of each value"
    short = "sin"

    def on_real(self, x: Array) -> Array:
        return each(math.sin, x)


@dataclass(frozen=True, eq=False)
class Cos(RealOnlyOp):
    kind = "COS"
    summary = "the cosine of each value"
    short = "cos"

    def on_real(self, x: Array) -> Array:
        return each(math.cos, x)


@dataclass(frozen=True, eq=False)
class Floor(RealOnlyOp):
    kind = "FLOOR"
    summary = "the next integer below each value"
    short = "floor"

    def on_real(self, x: Array) -> Array:
        return np.floor(x)


@dataclass(frozen=True, eq=False)
class Ceil(RealOnlyOp):
    kind = "CEIL"
    summary = "the next integer above each value"
    short = "ceil"

    def on_real(self, x: Array) -> Array:
        return np.ceil(x)


@dataclass(frozen=True, eq=False)
class Round(RealOnlyOp):
    kind = "ROUND"
    summary = "the nearest integer to each value, the even one of two"
    short = "round"

    def on_real(self, x: Array) -> Array:
        return np.rint(x)
