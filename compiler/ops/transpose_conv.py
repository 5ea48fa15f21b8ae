"""TRANSPOSE_CONV: every pixel of the input adds a weighted window to the output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..graph import Array, DType, Node, Op, Padding, Region, Rounding, Span, Tensor
from .checks import wrong_rank, wrong_shape
from .geometry import MOST_VALUES, Pair, window_options
from .options import fused_clamp
from .parts import by_batch, large_batch
from .scaled import ScaledOp, distances, exact_dot, float_product


@dataclass(frozen=True, eq=False)
class TransposeConv(ScaledOp):
    """Weights are [out channels, taps down, taps across, in channels]. What falls on the padding is lost."""

    kernel: Pair
    stride: Pair
    padding: Padding
    legacy: bool = False  # uint8 in the file, as in WeightedWindow

    kind = "TRANSPOSE_CONV"
    summary = "transposed convolution of any kernel, stride and padding"
    limits = "int16 with int8 weights; uint8 as LiteRT computes it; constant weights"
    short = "tconv"
    arity = (3, 4)
    wide_biases = (DType.INT64, DType.INT16)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        weights, x, y = node.inputs[1], node.inputs[2], node.outputs[0]
        kernel = Pair(*weights.shape[1:3]) if weights is not None and len(weights.shape) == 4 else Pair(0, 0)
        stride, _, padding = window_options(replace(node, inputs=(y,)), kernel)  # as if the output were the input
        legacy = x is not None and x.dtype is DType.UINT8
        head = (node.index, node.inputs, node.outputs, fused_clamp(node), Rounding.DOUBLE)
        return cls(*head, kernel, stride, padding, legacy)

    @property
    def x(self) -> Tensor:
        """The first input is the shape of the output, which its tensor has anyhow."""
        return self.required(2)

    @property
    def bias(self) -> Tensor | None:
        return self.input(3)

    @property
    def streams(self) -> bool:
        return True

    @property
    def macs(self) -> int:
        return self.x.elements * self.kernel.rows * self.kernel.columns * self.channels

    def product(self, x_scale: float, weight_scale: float) -> float:
        return float_product(x_scale, weight_scale) if self.legacy else x_scale * weight_scale

    def window(self, index: int, region: Region) -> Region:
        if index == 0:
            return super().window(index, region)
        pad, image = self.padding, self.x.image
        rows = _reached(region.rows, self.stride.rows, pad.top, self.kernel.rows, image.rows)
        return Region(rows, _reached(region.columns, self.stride.columns, pad.left, self.kernel.columns, image.columns))

    def simpler(self) -> tuple[Op, ...]:
        """Without its first input, which is only read from files."""
        return by_batch(self) if self.inputs[0] is None else (replace(self, inputs=(None, *self.inputs[1:])),)

    def invalid(self) -> Iterator[str]:
        for tensor in (self.weights, self.x, self.y):
            yield from wrong_rank(tensor, 4)
        if any(len(tensor.shape) != 4 for tensor in (self.weights, self.x, self.y)):
            return
        if min(*self.kernel, *self.stride) < 1:
            yield "kernel and stride must be positive"
        channels, _, _, depth = self.weights.shape
        yield from wrong_shape(self.y, (self.x.shape[0], *self.y.shape[1:3], channels))
        yield from wrong_shape(self.x, (*self.x.shape[:3], depth))
        yield from self.invalid_constants(channels)

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from large_batch(self.x)
        image, taps = self.x.image, self.kernel.rows * self.kernel.columns
        seen = image.rows * image.columns * taps * max(self.channels, image.channels)
        if max(seen, self.y.elements) > MOST_VALUES:
            yield f"a window of {self.kernel.rows} x {self.kernel.columns} on {self.x.describe()}"
        if not self.legacy and self.weights.quant is not None and any(self.weights.quant.zero_points):
            yield f"{self.weights.name} has a zero point other than 0"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        weights, x = inputs[1], inputs[2]
        assert x is not None and weights is not None
        rows = distances(x.reshape(-1, x.shape[3]), self.x.zero_point)
        matrix = distances(weights.reshape(-1, x.shape[3]), self.weights.zero_point)
        parts = exact_dot(rows, matrix.T).reshape(*x.shape[:3], self.channels, *self.kernel)
        acc = np.concatenate([self._scattered(part) for part in parts])
        return (self.finish(acc).reshape(self.y.shape),)

    def _scattered(self, parts: Array) -> Array:
        """[rows, columns, channels, taps down, taps across] added up where they fall in the output."""
        (_, height, width, _), (rows, columns), stride = self.y.shape, parts.shape[:2], self.stride
        reach = Pair((rows - 1) * stride.rows + 1, (columns - 1) * stride.columns + 1)
        size = (reach.rows + self.kernel.rows + height, reach.columns + self.kernel.columns + width)
        full = np.zeros((*size, self.channels), np.int64)
        for r in range(self.kernel.rows):
            for c in range(self.kernel.columns):
                hit = full[r : r + reach.rows : stride.rows, c : c + reach.columns : stride.columns]
                hit += parts[..., r, c]
        top, left = self.padding.top, self.padding.left
        return full[top : top + height, left : left + width]


def _reached(span: Span, stride: int, before: int, taps: int, size: int) -> Span:
    """Which inputs have a tap in a span of outputs."""
    first = -(-(span.start + before - taps + 1) // stride)
    stop = (span.stop - 1 + before) // stride + 1
    return Span(min(max(first, 0), size), min(max(stop, 0), size))
