"""What convolutions and fully connected layers share: integer dot products scaled back per channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..arith import (
    Multiplier,
    quantize_multiplier,
    reduced_multiplier,
    rescale,
    rescale64,
    rescale_away,
    saturate,
    wrap32,
)
from ..graph import Array, Clamp, DType, Op, Rounding, Tensor
from .checks import not_constant, not_per_tensor, too_steep, wrong_types

BIAS_LIMIT = 1 << 46  # TFLM's 64-bit rescaling takes accumulators of 47 bits and a sign
LARGEST_WIDE_SHIFT = 7  # to the left, of the same
WEIGHT_TYPES = {DType.INT8: DType.INT8, DType.INT16: DType.INT8, DType.UINT8: DType.UINT8}  # by the input's


@dataclass(frozen=True, eq=False)
class ScaledOp(Op):
    """accumulate(x - zero point, weights) + bias, times a factor per output channel, clamped."""

    clamp: Clamp
    rounding: Rounding

    types = tuple(WEIGHT_TYPES)
    arity = (2, 3)
    channel_axis: ClassVar[int] = 0  # of the weights, along which they may have a scale each
    wide_biases: ClassVar[tuple[DType, ...]] = (DType.INT32, DType.INT64)  # of int16 layers

    @property
    def weights(self) -> Tensor:
        return self.required(1)

    @property
    def bias(self) -> Tensor | None:
        return self.input(2)

    @property
    def channels(self) -> int:
        return self.y.image.channels

    @property
    def is_wide(self) -> bool:
        """Does the accumulator have 64 bits? Only a bias of 32 bits gives int16 layers one of 32."""
        return self.x.dtype is DType.INT16 and (self.bias is None or self.bias.dtype is not DType.INT32)

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
        return tuple(self.product(self.x.scale, scale) / self.y.scale for scale in scales)

    def product(self, x_scale: float, weight_scale: float) -> float:
        return x_scale * weight_scale

    def multipliers(self) -> tuple[Array, Array]:
        """Mantissas and shifts, one for each output channel."""
        of = reduced_multiplier if self.is_wide else quantize_multiplier
        pairs = [of(factor) for factor in self.factors()]
        return np.array([p.mantissa for p in pairs], np.int64), np.array([p.shift for p in pairs], np.int64)

    def scaled(self, acc: Array) -> Array:
        """From accumulators (channels last, bias added) to steps of the output."""
        if self.rounding is Rounding.AWAY:
            return rescale_away(wrap32(acc), np.array(self.factors()))
        if self.is_wide:
            return rescale64(acc, *self.multipliers())
        return rescale(wrap32(acc), *self.multipliers(), self.rounding)

    def finish(self, acc: Array) -> Array:
        """From exact accumulators (channels last, bias not yet added) to the output's type."""
        return saturate(self.scaled(acc + self.bias_values()) + self.y.zero_point, self.clamp, self.y.dtype)

    def invalid_constants(self, channels: int) -> Iterator[str]:
        bias, quant = self.bias, self.weights.quant
        if bias is not None and bias.elements != channels:
            yield f"bias {bias.name} has {bias.elements} values for {channels} channels"
        if quant is not None and len(quant.scales) not in (1, channels):
            yield f"{self.weights.name} has {len(quant.scales)} scales for {channels} channels"

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x,), self.types)
        if self.x.dtype in WEIGHT_TYPES:
            yield from wrong_types(self, (self.weights,), (WEIGHT_TYPES[self.x.dtype],))
            yield from wrong_types(self, (self.y,), (self.x.dtype,))
        yield from wrong_types(self, (self.bias,), self.bias_types)
        yield from self.unsupported_at_run_time()
        yield from not_per_tensor((self.x, self.y))
        quant = self.weights.quant
        if quant is not None and not quant.per_tensor and quant.axis != self.channel_axis:
            yield f"{self.weights.name} is quantised along axis {quant.axis} instead of {self.channel_axis}"
        if quant is not None and self.x.quant is not None and self.y.quant is not None:
            yield from too_steep(self.y, Multiplier(0, int(self.multipliers()[1].max())))
            if self.is_wide and self.multipliers()[1].max(initial=0) > LARGEST_WIDE_SHIFT:
                yield f"the scale of {self.y.name} is more than 2^{LARGEST_WIDE_SHIFT} times smaller than its inputs'"
        if self.x.dtype is DType.UINT8:
            yield from not_per_tensor((self.weights,))
        if self.x.dtype is DType.INT16:
            yield from self._unsupported_int16()

    def unsupported_at_run_time(self) -> Iterator[str]:
        yield from not_constant((self.weights, self.bias), "weights or bias")

    @property
    def bias_types(self) -> tuple[DType, ...]:
        return self.wide_biases if self.x.dtype is DType.INT16 else (DType.INT32,)

    def _unsupported_int16(self) -> Iterator[str]:
        for tensor in (self.x, self.weights, self.y):
            if tensor.quant is None and tensor.dtype is DType.INT16:
                yield f"{tensor.name} carries no quantisation"
            elif tensor.quant is not None and any(tensor.quant.zero_points):
                yield f"{tensor.name} has a zero point other than 0, which int16 layers do not take"
        bias = self.bias
        values = bias.data if bias is not None and bias.dtype is DType.INT64 else None
        if bias is not None and values is not None and np.any((values <= -BIAS_LIMIT) | (values >= BIAS_LIMIT)):
            yield f"bias {bias.name} has values beyond 46 bits"


def float_product(x_scale: float, weight_scale: float) -> float:
    """As LiteRT's layers on uint8 multiply the two scales."""
    with np.errstate(over="ignore"):
        return float(np.float32(x_scale * weight_scale))


def exact_dot(rows: Array, matrix: Array) -> Array:
    """Integer matrix product through BLAS: exact because every partial sum fits the mantissa."""
    reach = 256 if rows.dtype == np.int16 else 1 << 16
    largest = int(np.abs(matrix.astype(np.int64)).sum(axis=0).max(initial=0)) * reach
    kind = np.float32 if largest < 1 << 24 else np.float64
    return np.asarray(rows.astype(kind) @ matrix.astype(kind)).astype(np.int64)


def distances(values: Array, zero: int) -> Array:
    """From the zero point; as int16 if it was 8 bits wide, so that `exact_dot` knows how far they reach."""
    kind = np.dtype(np.int32 if values.dtype.itemsize > 1 else np.int16)
    return np.asarray(values.astype(kind) - zero)
