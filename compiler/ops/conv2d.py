"""CONV_2D: any kernel, stride, dilation and padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..graph import Array, DType, Op
from .checks import wrong_rank
from .concatenation import MOST_INPUTS
from .depthwise_conv2d import DepthwiseConv2D
from .parts import by_batch, by_group
from .scaled import distances, exact_dot
from .windowed_weights import WeightedWindow


@dataclass(frozen=True, eq=False)
class Conv2D(WeightedWindow):
    """Weights are [out channels, taps down, taps across, in channels]."""

    kind = "CONV_2D"
    summary = "convolution of any kernel, stride, dilation and padding"
    limits = "int16 with int8 weights; uint8 as LiteRT computes it; constant weights"
    short = "conv"

    @property
    def depth(self) -> int:
        """Products in one output value."""
        return self.kernel.rows * self.kernel.columns * self.weights.shape[3]

    @property
    def groups(self) -> int:
        return self.x.shape[3] // self.weights.shape[3]

    @property
    def macs(self) -> int:
        return self.y.elements * self.depth

    def invalid(self) -> Iterator[str]:
        yield from wrong_rank(self.weights, 4)
        if len(self.weights.shape) == 4:
            yield from self.invalid_window(self.weights.shape[0])
            yield from self.invalid_constants(self.weights.shape[0])

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        channels, depth = self.x.shape[3], self.weights.shape[3]
        if channels % depth or self.channels % self.groups or (depth > 1 and self.groups > MOST_INPUTS):
            yield f"grouped convolution ({channels} channels in, {depth} in the weights, {self.channels} out)"

    def simpler(self) -> tuple[Op, ...]:
        if self.x.shape[0] > 1 or self.groups == 1:
            return by_batch(self)
        narrow = self.x.dtype is DType.INT16 and not self.is_wide
        return by_group(self, self.groups) if self.weights.shape[3] > 1 or narrow else (self._depthwise(),)

    def _depthwise(self) -> Op:
        """Groups of one channel."""
        weights = self.weights
        assert weights.data is not None and weights.quant is not None
        shape = (1, *self.kernel, self.channels)
        data = np.ascontiguousarray(weights.data.transpose(3, 1, 2, 0))
        quant = replace(weights.quant, axis=DepthwiseConv2D.channel_axis)
        inputs = (self.x, replace(weights, name=f"{weights.name}:turned", shape=shape, data=data, quant=quant))
        head = (self.index, (*inputs, *self.inputs[2:]), self.outputs, self.clamp, self.rounding)
        return DepthwiseConv2D(*head, self.kernel, self.stride, self.dilation, self.padding, self.legacy)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x, weights = inputs[0], inputs[1]
        assert x is not None and weights is not None
        zero = self.x.zero_point
        groups = zip(np.split(x, self.groups, 3), np.split(weights, self.groups), strict=True)
        acc = [self._sums(part, matrix, zero) for part, matrix in groups]
        return (self.finish(acc[0] if len(acc) == 1 else np.concatenate(acc, axis=1)).reshape(self.y.shape),)

    def _sums(self, x: Array, weights: Array, zero: int) -> Array:
        patches = distances(self.batch_patches(x, zero).reshape(-1, self.depth), zero)
        return exact_dot(patches, distances(weights.reshape(-1, self.depth).T, self.weights.zero_point))
