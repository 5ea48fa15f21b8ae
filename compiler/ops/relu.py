"""RELU, RELU6 and their like as operators of their own (most are fused into their producer)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..arith import Multiplier, activation_clamp, rescale, saturate
from ..graph import Array, Clamp, DType, Node, Rounding
from .checks import BYTES, QUANTISED, too_steep
from .elementwise import ElementwiseOp, differing_types, factor, have_quant, read
from .real import RealOp


@dataclass(frozen=True, eq=False)
class Relu(RealOp, ElementwiseOp):
    """Rescales to the output's quantisation, then clamps at zero. `single`: ratios in single precision, as LiteRT."""

    rounding: Rounding
    single: bool = False

    kind = "RELU"
    summary = "negative values become zero, rescaled to the output"
    limits = "per tensor"
    short = "relu"
    types: ClassVar[tuple[DType, ...]] = QUANTISED
    limits_in_real: ClassVar[tuple[float, float]] = (0, math.inf)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, Rounding.DOUBLE, node.outputs[0].dtype is DType.UINT8)

    def scale(self) -> Multiplier:
        return factor((self.x.scale,), self.y.scale, self.single)

    @property
    def clamp(self) -> Clamp:
        assert self.y.quant is not None
        return activation_clamp(self.kind, self.y.quant, self.y.dtype)

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if have_quant(self.x, self.y):
            yield from too_steep(self.y, self.scale())

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        value = rescale(read(inputs[0]) - self.x.zero_point, *self.scale(), self.rounding)
        return (saturate(value + self.y.zero_point, self.clamp, self.y.dtype),)

    def on_real(self, x: Array) -> Array:
        low, high = self.limits_in_real
        return np.clip(x, np.float32(low), np.float32(high))


@dataclass(frozen=True, eq=False)
class LiteRtRelu(Relu):
    """TFLM has none of these."""

    limits = "per tensor; TFLM has none: as LiteRT's reference kernel"
    types = BYTES

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, Rounding.DOUBLE, True)


@dataclass(frozen=True, eq=False)
class ReluN1To1(LiteRtRelu):
    kind = "RELU_N1_TO_1"
    summary = "values are limited to -1 ... 1, rescaled to the output"
    short = "relu_n1_to_1"
    limits_in_real = (-1, 1)


@dataclass(frozen=True, eq=False)
class Relu0To1(LiteRtRelu):
    kind = "RELU_0_TO_1"
    summary = "values are limited to 0 ... 1, rescaled to the output"
    short = "relu_0_to_1"
    limits_in_real = (0, 1)


@dataclass(frozen=True, eq=False)
class Relu6(RealOp, ElementwiseOp):
    """Clamps in the input's quantisation and does not rescale, whatever the output's says."""

    kind = "RELU6"
    summary = "values are limited to 0 ... 6"
    limits = "as TFLM, without rescaling"
    types = QUANTISED
    short = "relu6"

    @property
    def clamp(self) -> Clamp:
        assert self.x.quant is not None
        return activation_clamp("RELU6", self.x.quant, self.x.dtype)

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if self.x.dtype is DType.UINT8 and self.x.quant is not None and not self.x.quant.same_as(self.y.quant):
            yield f"{self.x.name} and {self.y.name} have different scales or zero points; RELU6 does not rescale"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (np.clip(x, self.clamp.low, self.clamp.high).astype(self.y.dtype.numpy),)

    def on_real(self, x: Array) -> Array:
        return np.clip(x, np.float32(0), np.float32(6))
