"""AVERAGE_POOL_2D and MAX_POOL_2D: no rescaling, input and output share their quantisation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import saturate, truncated_divide
from ..graph import Array, Clamp, DType, Node
from .checks import more_than_one_batch, not_per_tensor, wrong_types
from .geometry import Pair, WindowedOp, window_options
from .options import fused_clamp, option_int


@dataclass(frozen=True, eq=False)
class Pool2D(WindowedOp):
    """Only pixels inside the input count."""

    clamp: Clamp

    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        kernel = Pair(option_int(node, "filter_height", 0), option_int(node, "filter_width", 0))
        stride, dilation, padding = window_options(node, kernel)
        return cls(node.index, node.inputs, node.outputs, kernel, stride, dilation, padding, fused_clamp(node))

    def invalid(self) -> Iterator[str]:
        yield from self.invalid_window(self.x.image.channels)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.y))
        yield from self._rescales()
        yield from more_than_one_batch(self.x)
        yield from self.unsupported_window()

    def _rescales(self) -> Iterator[str]:
        """The kernels can't; TFLM takes scales for equal that are off by less than 1e-6."""
        x, y = self.x.quant, self.y.quant
        if x is not None and y is not None and (abs(x.scale - y.scale) > 1e-6 or x.zero_point != y.zero_point):
            yield f"{self.x.name} and {self.y.name} have different scales or zero points; {self.kind} does not rescale"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        pooled = self.pool(x[0].astype(np.int32))
        return (saturate(pooled, self.clamp, self.y.dtype).reshape(self.y.shape),)

    @abstractmethod
    def pool(self, x: Array) -> Array:
        """[rows, columns, channels] in int32 to the same, pooled."""


@dataclass(frozen=True, eq=False)
class MaxPool2D(Pool2D):
    kind = "MAX_POOL_2D"
    summary = "largest value of each window"
    limits = "int8; batch 1; input and output quantised alike"
    short = "maxpool"

    def pool(self, x: Array) -> Array:
        return np.asarray(self.patches(x, self.y.dtype.bounds[0]).max(axis=(2, 3)))


@dataclass(frozen=True, eq=False)
class AveragePool2D(Pool2D):
    """Mean of the pixels inside, ties away from zero."""

    kind = "AVERAGE_POOL_2D"
    summary = "mean of each window's pixels, ties away from zero"
    limits = "int8; batch 1; input and output quantised alike"
    short = "avgpool"

    def pool(self, x: Array) -> Array:
        total = self.patches(x, 0).sum(axis=(2, 3), dtype=np.int64)
        inside = self.patches(np.ones((*x.shape[:2], 1), np.int64), 0).sum(axis=(2, 3))
        half = np.where(total > 0, inside // 2, -(inside // 2))
        return truncated_divide(total + half, inside)
