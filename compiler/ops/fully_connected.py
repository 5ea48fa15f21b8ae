"""FULLY_CONNECTED: every output sees every value of its input row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..graph import Array, Node, Rounding
from .checks import wrong_rank
from .options import fused_clamp, option_str
from .scaled import ScaledOp, exact_dot


@dataclass(frozen=True, eq=False)
class FullyConnected(ScaledOp):
    """Weights are [outputs, inputs]; leading axes of the input are rows, each computed alone."""

    weights_format: str

    kind = "FULLY_CONNECTED"
    summary = "every output sees every value of its row"
    limits = "int8, weights per tensor or per channel, constant"
    short = "fc"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        layout = option_str(node, "weights_format", "DEFAULT")
        return cls(node.index, node.inputs, node.outputs, fused_clamp(node), Rounding.DOUBLE, layout)

    @property
    def depth(self) -> int:
        return self.weights.shape[-1]

    @property
    def channels(self) -> int:
        return self.weights.shape[0]

    @property
    def batches(self) -> int:
        return self.x.elements // self.depth

    @property
    def macs(self) -> int:
        return self.y.elements * self.depth

    def invalid(self) -> Iterator[str]:
        yield from wrong_rank(self.weights, 2)
        if len(self.weights.shape) != 2:
            return
        yield from self.invalid_constants(self.channels)
        if self.depth < 1 or self.x.elements % self.depth or self.y.elements != self.batches * self.channels:
            yield f"{self.x.describe()} times {self.weights.describe()} does not give {self.y.describe()}"

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.weights_format != "DEFAULT":
            yield f"shuffled weights ({self.weights_format})"
        quant = self.weights.quant
        if quant is not None and not quant.per_tensor and any(quant.zero_points):
            yield f"{self.weights.name} has per-channel zero points other than 0"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x, weights = inputs[0], inputs[1]
        assert x is not None and weights is not None
        rows = x.reshape(-1, self.depth).astype(np.int16) - np.int16(self.x.zero_point)
        matrix = weights.astype(np.int16) - np.int16(self.weights.zero_point)
        return (self.finish(exact_dot(rows, matrix.T)).reshape(self.y.shape),)
