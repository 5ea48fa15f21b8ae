"""CONV_2D: any kernel, stride, dilation and padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..graph import Array, Node, Rounding
from .checks import more_than_one_batch, wrong_rank
from .geometry import Pair, WindowedOp, window_options
from .options import fused_clamp
from .scaled import ScaledOp, exact_dot


@dataclass(frozen=True, eq=False)
class Conv2D(WindowedOp, ScaledOp):
    """Weights are [out channels, taps down, taps across, in channels]."""

    kind = "CONV_2D"
    summary = "convolution of any kernel, stride, dilation and padding"
    limits = "int8, weights per tensor or per channel, constant; batch 1; no groups"
    short = "conv"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        weights = node.inputs[1]
        kernel = Pair(*weights.shape[1:3]) if weights is not None and len(weights.shape) == 4 else Pair(0, 0)
        stride, dilation, padding = window_options(node, kernel)
        return cls(
            node.index, node.inputs, node.outputs, fused_clamp(node), Rounding.DOUBLE, kernel, stride, dilation, padding
        )

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
        yield from more_than_one_batch(self.x)
        yield from self.unsupported_window()
        if self.weights.shape[3] != self.x.shape[3]:
            yield f"grouped convolution ({self.x.shape[3]} channels in, {self.weights.shape[3]} in the weights)"
        if self.weights.quant is not None and any(self.weights.quant.zero_points):
            yield f"{self.weights.name} has a zero point other than 0"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x, weights = inputs[0], inputs[1]
        assert x is not None and weights is not None
        zero = self.x.zero_point
        patches = self.patches(x[0], zero).reshape(-1, self.depth).astype(np.int16) - np.int16(zero)
        acc = exact_dot(patches, weights.reshape(-1, self.depth).T)
        return (self.finish(acc).reshape(self.y.shape),)
