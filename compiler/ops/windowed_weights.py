"""What CONV_2D and DEPTHWISE_CONV_2D share: a window of pixels, weighted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from ..graph import Node, Rounding
from .checks import more_than_one_batch
from .geometry import Pair, WindowedOp, window_options
from .options import fused_clamp
from .scaled import ScaledOp


@dataclass(frozen=True, eq=False)
class WeightedWindow(WindowedOp, ScaledOp):
    """The kernel's size is that of the weights, axes 1 and 2."""

    @classmethod
    def from_options(cls, node: Node) -> Self:
        weights = node.inputs[1]
        kernel = Pair(*weights.shape[1:3]) if weights is not None and len(weights.shape) == 4 else Pair(0, 0)
        stride, dilation, padding = window_options(node, kernel)
        return cls(
            node.index, node.inputs, node.outputs, fused_clamp(node), Rounding.DOUBLE, kernel, stride, dilation, padding
        )

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from more_than_one_batch(self.x)
        yield from self.unsupported_window()
        if self.weights.quant is not None and any(self.weights.quant.zero_points):
            yield f"{self.weights.name} has a zero point other than 0"
