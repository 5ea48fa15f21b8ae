"""CONV_2D: any kernel, stride, dilation and padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Array
from .checks import wrong_rank
from .scaled import exact_dot
from .windowed_weights import WeightedWindow


@dataclass(frozen=True, eq=False)
class Conv2D(WeightedWindow):
    """Weights are [out channels, taps down, taps across, in channels]."""

    kind = "CONV_2D"
    summary = "convolution of any kernel, stride, dilation and padding"
    limits = "int8, weights per tensor or per channel, constant; batch 1; no groups"
    short = "conv"

    @property
    def depth(self) -> int:
        """Products in one output value."""
        return self.kernel.rows * self.kernel.columns * self.x.image.channels

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
        if self.weights.shape[3] != self.x.shape[3]:
            yield f"grouped convolution ({self.x.shape[3]} channels in, {self.weights.shape[3]} in the weights)"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x, weights = inputs[0], inputs[1]
        assert x is not None and weights is not None
        zero = self.x.zero_point
        patches = self.patches(x[0], zero).reshape(-1, self.depth).astype(np.int16) - np.int16(zero)
        acc = exact_dot(patches, weights.reshape(-1, self.depth).T)
        return (self.finish(acc).reshape(self.y.shape),)
