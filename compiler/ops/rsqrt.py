"""RSQRT and L2_NORMALIZATION: inverse square roots in TFLite's 32-bit fixed point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, saturate
from ..fixed_point import inverse_root
from ..graph import Array, Clamp, Node, Op, Region
from .checks import too_steep, wrong_shape
from .elementwise import ElementwiseOp, differing_types, have_quant, read
from .options import option_str
from .real import RealOp

ROOT_BITS = 20  # behind the point of a root
OUTPUT_BITS = 7  # of a normalised vector
LONGEST_VECTOR = 1 << 15  # whose squares can be summed in 31 bits
MOST_DIMENSIONS = 4


@dataclass(frozen=True, eq=False)
class Rsqrt(RealOp, ElementwiseOp):
    kind = "RSQRT"
    summary = "one over the square root of each value; the largest output for 0"
    limits = "input zero point -128: TFLM fails on negative values"
    short = "rsqrt"

    def scale(self) -> Multiplier:
        with np.errstate(over="ignore", under="ignore"):
            product = float(np.sqrt(np.float32(self.x.scale)) * np.float32(self.y.scale))
        return quantize_multiplier(1 / product if product else math.inf)

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if have_quant(self.x, self.y):
            mantissa, shift = self.scale()
            yield from too_steep(self.y, Multiplier(mantissa, shift - ROOT_BITS))
            if shift - ROOT_BITS < -31:
                yield f"the scale of {self.y.name} is too large for 32-bit fixed point"
        if self.x.quant is not None and self.x.zero_point != -128:
            yield f"{self.x.name} has zero point {self.x.zero_point}, not -128: it may be negative"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = read(inputs[0]) - self.x.zero_point
        mantissa, shift = inverse_root(np.maximum(x, 1))
        root = rescale(np.ones_like(x), mantissa, shift + ROOT_BITS)
        factor, right = self.scale()
        value = rescale(root, factor, right - ROOT_BITS) + self.y.zero_point
        high = self.y.dtype.bounds[1]
        return (saturate(np.where(x == 0, high, value), Clamp(*self.y.dtype.bounds), self.y.dtype),)

    def on_real(self, x: Array) -> Array:
        return np.asarray(np.float32(1) / np.sqrt(x))


@dataclass(frozen=True, eq=False)
class L2Normalization(Op):
    """Divides vectors by their length, along the last axis."""

    activation: str

    kind = "L2_NORMALIZATION"
    summary = "vectors along the last axis, divided by their length"
    limits = "up to 4 dimensions; output scale 1/128, zero point 0"
    short = "l2_norm"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_str(node, "fused_activation_function", "NONE"))

    @property
    def streams(self) -> bool:
        return len(self.x.shape) >= 3

    def window(self, index: int, region: Region) -> Region:
        return region

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, self.x.shape)

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if self.y.quant is not None and (self.y.scale, self.y.zero_point) != (1 / 128, 0):
            yield f"{self.y.name} has scale {self.y.scale:g} and zero point {self.y.zero_point}, not 1/128 and 0"
        if not 1 <= len(self.x.shape) <= MOST_DIMENSIONS:
            yield f"{self.x.describe()}: between 1 and {MOST_DIMENSIONS} dimensions are possible"
        elif self.x.shape[-1] > LONGEST_VECTOR:
            yield f"{self.x.describe()}: the last axis must hold 1 to {LONGEST_VECTOR} values"
        if self.activation != "NONE":
            yield f"fused activation {self.activation}"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = read(inputs[0]) - self.x.zero_point
        mantissa, shift = inverse_root((x * x).sum(axis=-1, keepdims=True))
        return (saturate(rescale(x, mantissa, shift + OUTPUT_BITS), Clamp(*self.y.dtype.bounds), self.y.dtype),)
