"""ELU, EXP, LOG, SQRT, GELU: TFLite computes a table of them in float32 for 8-bit values, and so do we."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import saturate
from ..graph import Array, Clamp, Node
from .elementwise import ElementwiseOp, differing_types, have_quant, read
from .options import option_bool
from .real import RealOp, each

FAR = float(1 << 30)  # beyond, an output is at its end for certain, and within, a rounded one fits 32 bits

MOST_RATIO = 1 << 22  # of scales, so that a difference of bytes stays within


def round_away(value: Array) -> Array:
    """To the nearest integer, ties away from zero, and what is out of reach to something far."""
    near = np.clip(np.nan_to_num(value.astype(np.float64), nan=-FAR), -FAR, FAR)
    return np.asarray(np.trunc(near + np.copysign(0.5, near)).astype(np.int64))


@dataclass(frozen=True, eq=False)
class RealFunctionOp(ElementwiseOp):
    """A real function of values in steps of the input's scale, in steps of the output's; all in float32."""

    limits = "per tensor; TFLM has none: as LiteRT's reference kernel"

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if have_quant(self.x, self.y) and not 2.0**-60 < self.y.scale < 2.0**60:
            yield f"{self.y.name} has scale {self.y.scale:g}, whose inverse is out of reach"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        with np.errstate(all="ignore"):
            real = np.float32(self.x.scale) * (read(inputs[0]) - self.x.zero_point).astype(np.float32)
            value = self.steps(np.vectorize(self._rounded, otypes=[np.float32])(real))
        return (saturate(value + self.y.zero_point, Clamp(*self.y.dtype.bounds), self.y.dtype),)

    def _rounded(self, value: np.float32) -> np.float32:
        """The C library's results are those of double precision, rounded."""
        try:
            return self.function(value)
        except OverflowError:
            return np.float32(math.inf)

    @abstractmethod
    def function(self, value: np.float32) -> np.float32:
        """Of one value."""

    def steps(self, real: Array) -> Array:
        return round_away(real * (np.float32(1) / np.float32(self.y.scale)))


@dataclass(frozen=True, eq=False)
class Elu(RealOp, RealFunctionOp):
    kind = "ELU"
    summary = "exp(x) - 1 of negative values"
    limits = "per tensor"
    short = "elu"

    def unsupported(self) -> Iterator[str]:
        """TFLM's 32-bit integers would overflow."""
        yield from super().unsupported()
        if have_quant(self.x, self.y) and not self.x.scale / self.y.scale < MOST_RATIO:
            yield f"the scale of {self.y.name} is more than 2^22 times smaller than its input's"

    def function(self, value: np.float32) -> np.float32:
        return value if value >= 0 else np.float32(math.exp(value)) - np.float32(1)

    def on_real(self, x: Array) -> Array:
        return np.where(x < 0, each(math.expm1, x), x)


@dataclass(frozen=True, eq=False)
class Exp(RealOp, RealFunctionOp):
    kind = "EXP"
    summary = "the exponential of each value"
    short = "exp"

    def function(self, value: np.float32) -> np.float32:
        return np.float32(math.exp(value))

    def on_real(self, x: Array) -> Array:
        return each(math.exp, x)


@dataclass(frozen=True, eq=False)
class Log(RealOp, RealFunctionOp):
    """The smallest output where there is no logarithm."""

    kind = "LOG"
    summary = "the natural logarithm of each value"
    short = "log"

    def function(self, value: np.float32) -> np.float32:
        smallest = np.float32(self.y.dtype.bounds[0] - self.y.zero_point) * np.float32(self.y.scale)
        return np.float32(math.log(value)) if value > 0 else smallest

    def on_real(self, x: Array) -> Array:
        return np.where(x == 0, np.float32(-math.inf), each(math.log, x))


@dataclass(frozen=True, eq=False)
class Sqrt(RealOp, RealFunctionOp):
    """Rounds down, unlike the others."""

    kind = "SQRT"
    summary = "the square root of each value"
    limits = "input zero point -128; TFLM has none: as LiteRT's reference kernel"
    short = "sqrt"

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.x.quant is not None and self.x.zero_point != -128:
            yield f"{self.x.name} has zero point {self.x.zero_point}, not -128: it may be negative"

    def function(self, value: np.float32) -> np.float32:
        return np.float32(np.sqrt(max(value, np.float32(0))))

    def steps(self, real: Array) -> Array:
        ratio = real / np.float32(self.y.scale)
        return np.asarray(np.trunc(np.minimum(ratio, FAR)).astype(np.int64))

    def on_real(self, x: Array) -> Array:
        return np.asarray(np.sqrt(x))


@dataclass(frozen=True, eq=False)
class Gelu(RealFunctionOp):
    approximate: bool

    kind = "GELU"
    summary = "x times the normal distribution's share below x, exactly or by a hyperbolic tangent"
    short = "gelu"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_bool(node, "approximate"))

    def function(self, value: np.float32) -> np.float32:
        half = np.float32(0.5) * value
        if not self.approximate:
            return half * np.float32(math.erfc(value * np.float32(-math.sqrt(0.5))))
        cube = np.float32(0.044715) * value * value * value
        return half * (np.float32(1) + np.float32(math.tanh(np.float32(math.sqrt(2 / math.pi)) * (value + cube))))
