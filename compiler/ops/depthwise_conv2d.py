"""DEPTHWISE_CONV_2D: any kernel, stride, dilation, padding and depth multiplier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Array, DType, Op
from .checks import wrong_rank
from .parts import by_batch
from .windowed_weights import WeightedWindow


@dataclass(frozen=True, eq=False)
class DepthwiseConv2D(WeightedWindow):
    """Weights are [1, taps down, taps across, out channels]; out channel c reads in channel c // multiplier."""

    kind = "DEPTHWISE_CONV_2D"
    summary = "convolution of each channel alone, any depth multiplier"
    limits = "int16 with int8 weights; uint8 as LiteRT computes it; constant weights"
    short = "dw"
    channel_axis = 3
    wide_biases = (DType.INT64,)

    @property
    def multiplier(self) -> int:
        """From the shapes: the option of the same name is not reliable in real files."""
        return self.y.image.channels // self.x.image.channels

    @property
    def macs(self) -> int:
        return self.y.elements * self.kernel.rows * self.kernel.columns

    def invalid(self) -> Iterator[str]:
        yield from wrong_rank(self.weights, 4)
        if len(self.weights.shape) != 4:
            return
        channels = self.weights.shape[3]
        yield from self.invalid_window(channels)
        yield from self.invalid_constants(channels)
        if self.weights.shape[0] != 1 or channels % max(1, self.x.image.channels):
            yield f"weights [{','.join(map(str, self.weights.shape))}] do not fit {self.x.image.channels} channels"

    def simpler(self) -> tuple[Op, ...]:
        return by_batch(self)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x, weights = inputs[0], inputs[1]
        assert x is not None and weights is not None
        zero = self.x.zero_point
        patches = self.batch_patches(x, zero)
        kind = np.dtype(np.int64 if self.x.dtype is DType.INT16 else np.int32)
        taps = weights.reshape(*self.kernel, self.x.image.channels, self.multiplier).astype(kind)
        taps = taps - self.weights.zero_point
        acc = np.zeros((*patches.shape[:2], *taps.shape[2:]), kind)
        for row in range(self.kernel.rows):
            for column in range(self.kernel.columns):
                pixels = patches[:, :, row, column].astype(kind) - zero
                acc += pixels[..., np.newaxis] * taps[row, column]
        return (self.finish(acc.reshape(-1, self.channels).astype(np.int64)).reshape(self.y.shape),)
