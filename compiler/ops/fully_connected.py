"""FULLY_CONNECTED: every output sees every value of its input row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from ..graph import Array, DType, Node, Rounding
from .checks import WrongShape, not_constant, not_per_tensor, wrong_rank
from .options import fused_clamp, option_str
from .scaled import ScaledOp, distances, exact_dot


@dataclass(frozen=True, eq=False)
class FullyConnected(ScaledOp):
    """Weights are [outputs, inputs]; leading axes of the input are rows, each computed alone."""

    weights_format: str

    kind = "FULLY_CONNECTED"
    summary = "every output sees every value of its row"
    limits = "int16 with int8 weights; uint8 as LiteRT computes it; weights at run time for int8 only"
    short = "fc"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        layout = option_str(node, "weights_format", "DEFAULT")
        legacy = node.inputs[0] is not None and node.inputs[0].dtype is DType.UINT8
        rounding = Rounding.AWAY if legacy else Rounding.DOUBLE
        return cls(node.index, node.inputs, node.outputs, fused_clamp(node), rounding, layout)

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
        text = f"{self.x.describe()} times {self.weights.describe()} does not give {self.y.describe()}"
        if self.depth < 1 or self.x.elements % self.depth:
            yield text
        elif self.y.elements != self.batches * self.channels:
            alike = len(self.y.shape) == len(self.x.shape) and self.x.shape[-1] == self.depth
            rows = self.x.shape[:-1] if alike else (self.batches,)
            yield WrongShape.of(self.y, (*rows, self.channels), text)

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.weights_format != "DEFAULT":
            yield f"shuffled weights ({self.weights_format})"
        if self.x.dtype is DType.INT16 and self.rounding is Rounding.AWAY:
            yield "int16 values are only rounded as TFLM does"
        quant = self.weights.quant
        if quant is not None and not quant.per_tensor and any(quant.zero_points):
            yield f"{self.weights.name} has per-channel zero points other than 0"

    def unsupported_at_run_time(self) -> Iterator[str]:
        yield from not_constant((self.bias,), "bias")
        if self.weights.is_constant:
            return
        yield from not_per_tensor((self.weights,))
        if self.x.dtype is DType.INT16 or self.rounding is Rounding.AWAY:
            yield from not_constant((self.weights,), f"{self.x.dtype.value} weights, or rounded as LiteRT does,")

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x, weights = inputs[0], inputs[1]
        assert x is not None and weights is not None
        rows = distances(x.reshape(-1, self.depth), self.x.zero_point)
        matrix = distances(weights, self.weights.zero_point)
        return (self.finish(exact_dot(rows, matrix.T)).reshape(self.y.shape),)
