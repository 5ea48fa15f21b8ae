"""What convolutions and fully connected layers share: integer dot products scaled back per channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, saturate, wrap32
from ..graph import Array, Clamp, DType, Op, Rounding, Tensor
from .checks import not_constant, not_per_tensor, too_steep, wrong_types


@dataclass(frozen=True, eq=False)
class ScaledOp(Op):
    """accumulate(x - zero point, weights) + bias, times a factor per output channel, clamped."""

    clamp: Clamp
    rounding: Rounding

    arity = (2, 3)
    channel_axis: ClassVar[int] = 0  # of the weights, along which they may have a scale each

    @property
    def weights(self) -> Tensor:
        tensor = self.inputs[1]
        assert tensor is not None
        return tensor

    @property
    def bias(self) -> Tensor | None:
        return self.input(2)

    @property
    def channels(self) -> int:
        return self.y.image.channels

    def bias_values(self) -> Array:
        bias = self.bias
        if bias is None or bias.data is None:
            return np.zeros(self.channels, np.int64)
        return np.asarray(bias.data.reshape(-1), np.int64)

    def weight_values(self) -> Array:
        assert self.weights.data is not None
        return self.weights.data

    def factors(self) -> tuple[float, ...]:
        """Real scale of the accumulator over the output's, for each channel.

        All in double precision. TFLM's sources of August 2026 round the product of FULLY_CONNECTED's two
        scales, and the quotient of RELU's, to float32 first; its package of October 2026 does not.
        """
        quant = self.weights.quant
        assert quant is not None
        scales = quant.scales if not quant.per_tensor else quant.scales * self.channels
        return tuple(self.x.scale * scale / self.y.scale for scale in scales)

    def multipliers(self) -> tuple[Array, Array]:
        """Mantissas and shifts, one for each output channel."""
        pairs = [quantize_multiplier(factor) for factor in self.factors()]
        return np.array([p.mantissa for p in pairs], np.int64), np.array([p.shift for p in pairs], np.int64)

    def finish(self, acc: Array) -> Array:
        """From exact accumulators (channels last, bias not yet added) to the output's type."""
        mantissas, shifts = self.multipliers()
        scaled = rescale(wrap32(acc + self.bias_values()), mantissas, shifts, self.rounding)
        return saturate(scaled + self.y.zero_point, self.clamp, self.y.dtype)

    def invalid_constants(self, channels: int) -> Iterator[str]:
        bias, quant = self.bias, self.weights.quant
        if bias is not None and bias.elements != channels:
            yield f"bias {bias.name} has {bias.elements} values for {channels} channels"
        if quant is not None and len(quant.scales) not in (1, channels):
            yield f"{self.weights.name} has {len(quant.scales)} scales for {channels} channels"

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.weights, self.y), (DType.INT8,))
        yield from wrong_types(self, (self.bias,), (DType.INT32,))
        yield from not_constant((self.weights, self.bias), "weights or bias")
        yield from not_per_tensor((self.x, self.y))
        quant = self.weights.quant
        if quant is not None and not quant.per_tensor and quant.axis != self.channel_axis:
            yield f"{self.weights.name} is quantised along axis {quant.axis} instead of {self.channel_axis}"
        if quant is not None and self.x.quant is not None and self.y.quant is not None:
            yield from too_steep(self.y, Multiplier(0, int(self.multipliers()[1].max())))


def exact_dot(rows: Array, matrix: Array) -> Array:
    """Integer matrix product through BLAS: exact because every partial sum fits the mantissa."""
    largest = int(np.abs(matrix.astype(np.int64)).sum(axis=0).max(initial=0)) * 256
    kind = np.float32 if largest < 1 << 24 else np.float64
    return np.asarray(rows.astype(kind) @ matrix.astype(kind)).astype(np.int64)
