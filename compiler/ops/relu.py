"""RELU and RELU6 as operators of their own (most are fused into their producer)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import Multiplier, activation_clamp, quantize_multiplier, rescale, saturate
from ..graph import Array, Clamp, DType, Node, Rounding
from .checks import not_per_tensor, too_steep, wrong_types
from .elementwise import ElementwiseOp


@dataclass(frozen=True, eq=False)
class Relu(ElementwiseOp):
    """Rescales to the output's quantisation, then clamps at zero."""

    rounding: Rounding

    kind = "RELU"
    summary = "negative values become zero, rescaled to the output"
    limits = "int8 per tensor"
    short = "relu"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, Rounding.DOUBLE)

    def scale(self) -> Multiplier:
        return quantize_multiplier(self.x.scale / self.y.scale)

    @property
    def clamp(self) -> Clamp:
        assert self.y.quant is not None
        return activation_clamp("RELU", self.y.quant, self.y.dtype)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.y))
        if self.x.quant is not None and self.y.quant is not None:
            yield from too_steep(self.y, self.scale())

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        mantissa, shift = self.scale()
        value = rescale(x.astype(np.int64) - self.x.zero_point, mantissa, shift, self.rounding)
        return (saturate(value + self.y.zero_point, self.clamp, self.y.dtype),)


@dataclass(frozen=True, eq=False)
class Relu6(ElementwiseOp):
    """Clamps in the input's quantisation and does not rescale, whatever the output's says."""

    kind = "RELU6"
    summary = "values are limited to 0 ... 6"
    limits = "int8; as TFLM, without rescaling"
    short = "relu6"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @property
    def clamp(self) -> Clamp:
        assert self.x.quant is not None
        return activation_clamp("RELU6", self.x.quant, self.x.dtype)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.y))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (np.clip(x, self.clamp.low, self.clamp.high).astype(np.int8),)
