"""What CONV_2D and DEPTHWISE_CONV_2D share: a window of pixels, weighted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from ..graph import DType, Node, Rounding
from .geometry import Pair, WindowedOp, window_options
from .options import fused_clamp
from .parts import large_batch
from .scaled import ScaledOp, float_product


@dataclass(frozen=True, eq=False)
class WeightedWindow(WindowedOp, ScaledOp):
    """The kernel's size is that of the weights, axes 1 and 2."""

    legacy: bool = False  # uint8 in the file: weights with a zero point, scales multiplied as LiteRT does

    @classmethod
    def from_options(cls, node: Node) -> Self:
        weights = node.inputs[1]
        kernel = Pair(*weights.shape[1:3]) if weights is not None and len(weights.shape) == 4 else Pair(0, 0)
        stride, dilation, padding = window_options(node, kernel)
        tensors = (node.index, node.inputs, node.outputs)
        legacy = node.inputs[0] is not None and node.inputs[0].dtype is DType.UINT8
        return cls(*tensors, fused_clamp(node), Rounding.DOUBLE, kernel, stride, dilation, padding, legacy)

    def product(self, x_scale: float, weight_scale: float) -> float:
        return float_product(x_scale, weight_scale) if self.legacy else x_scale * weight_scale

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from large_batch(self.x)
        yield from self.unsupported_window()
        if not self.legacy and self.weights.quant is not None and any(self.weights.quant.zero_points):
            yield f"{self.weights.name} has a zero point other than 0"
