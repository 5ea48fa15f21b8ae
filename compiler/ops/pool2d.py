"""AVERAGE_POOL_2D and MAX_POOL_2D: no rescaling, input and output share their quantisation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from ..arith import saturate, truncated_divide
from ..graph import Array, Clamp, DType, Node, Op
from .checks import mixed_types, not_per_tensor, wrong_types
from .geometry import Pair, WindowedOp, window_options
from .options import fused_clamp, option_int
from .parts import by_batch, large_batch

MOST_INT16 = 65000  # values that a window may sum


@dataclass(frozen=True, eq=False)
class Pool2D(WindowedOp):
    """Only pixels inside the input count."""

    clamp: Clamp

    arity = (1, 1)
    types: ClassVar[tuple[DType, ...]] = (DType.INT8, DType.INT16, DType.UINT8)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        kernel = Pair(option_int(node, "filter_height", 0), option_int(node, "filter_width", 0))
        stride, dilation, padding = window_options(node, kernel)
        return cls(node.index, node.inputs, node.outputs, kernel, stride, dilation, padding, fused_clamp(node))

    @property
    def streams(self) -> bool:
        return len(self.x.shape) == 4 and self.x.shape[0] == 1

    def simpler(self) -> tuple[Op, ...]:
        return by_batch(self)

    def invalid(self) -> Iterator[str]:
        yield from self.invalid_window(self.x.image.channels)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), self.types)
        yield from mixed_types(self, (self.x, self.y))
        yield from not_per_tensor((self.x, self.y))
        yield from self._rescales()
        yield from large_batch(self.x)
        yield from self.unsupported_window()

    def _rescales(self) -> Iterator[str]:
        """The kernels can't; TFLM takes scales for equal that are off by less than 1e-6."""
        x, y = self.x.quant, self.y.quant
        if x is not None and y is not None and (abs(x.scale - y.scale) > 1e-6 or x.zero_point != y.zero_point):
            yield f"{self.x.name} and {self.y.name} have different scales or zero points; {self.kind} does not rescale"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        pooled = np.stack([self.pool(image) for image in x.astype(np.int32)])
        return (saturate(pooled, self.clamp, self.y.dtype).reshape(self.y.shape),)

    @abstractmethod
    def pool(self, x: Array) -> Array:
        """[rows, columns, channels] in int32 to the same, pooled."""


@dataclass(frozen=True, eq=False)
class MaxPool2D(Pool2D):
    kind = "MAX_POOL_2D"
    summary = "largest value of each window"
    limits = "batches of at most 16; input and output quantised alike"
    short = "maxpool"

    def pool(self, x: Array) -> Array:
        return np.asarray(self.patches(x, self.y.dtype.bounds[0]).max(axis=(2, 3)))


@dataclass(frozen=True, eq=False)
class AveragePool2D(Pool2D):
    """Mean of the pixels inside. The network's own types decide about ties, also where a pass has changed them."""

    ties_up: bool = False  # or else away from zero

    kind = "AVERAGE_POOL_2D"
    summary = "mean of each window's pixels, ties away from zero (of uint8: up)"
    limits = "batches of at most 16; input and output quantised alike"
    short = "avgpool"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return replace(super().from_options(node), ties_up=node.outputs[0].dtype is DType.UINT8)

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.x.dtype is DType.INT16 and self.kernel.rows * self.kernel.columns > MOST_INT16:
            yield f"{self.kernel.rows} x {self.kernel.columns} values of int16 may not fit a sum of 32 bits"

    def pool(self, x: Array) -> Array:
        total = self.patches(x, 0).sum(axis=(2, 3), dtype=np.int64)
        inside = self.patches(np.ones((*x.shape[:2], 1), np.int64), 0).sum(axis=(2, 3))
        if self.ties_up:
            return np.asarray((total + inside // 2) // inside)
        half = np.where(total > 0, inside // 2, -(inside // 2))
        return truncated_divide(total + half, inside)
