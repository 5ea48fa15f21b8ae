"""HARD_SWISH: x * min(max(x + 3, 0), 6) / 6, in TFLite's 16-bit fixed point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..arith import Multiplier, quantize_multiplier, round_shift, truncated_divide
from ..graph import Array
from .checks import BYTES
from .elementwise import ElementwiseOp, differing_types, have_quant, read
from .real import RealOp

HIGH_BITS = 7  # to the left: a difference of two bytes then fills 16 bits
INT16_MIN, INT16_MAX = -(1 << 15), (1 << 15) - 1
MOST_BITS = 15  # to the right, in 16 bits


def saturate16(value: Array) -> Array:
    return np.clip(value, INT16_MIN, INT16_MAX)


def short_multiplier(factor: float) -> Multiplier:
    """With a mantissa of 16 bits."""
    mantissa, shift = quantize_multiplier(factor)
    return Multiplier(min((mantissa + (1 << 15)) >> 16, INT16_MAX), shift)


def high_mul16(a: Array, b: int) -> Array:
    return saturate16((a * b + (1 << 14)) >> 15)


@dataclass(frozen=True, eq=False)
class HardSwish(RealOp, ElementwiseOp):
    kind = "HARD_SWISH"
    summary = "x * min(max(x + 3, 0), 6) / 6 of each value"
    limits = "per tensor; output steps no finer than 1/128 and no coarser than 2^8 of the input's"
    types = BYTES
    short = "hard_swish"

    def output_scale(self) -> Multiplier:
        return short_multiplier(self._ratio(self.y.scale))

    def gate_scale(self) -> Multiplier:
        """Factor to steps of 3 / 2^15."""
        return short_multiplier(self._ratio(3.0 / (1 << 15)))

    def _ratio(self, scale: float) -> float:
        with np.errstate(over="ignore", under="ignore"):
            return float(np.float32(1 / (1 << HIGH_BITS)) * np.float32(self.x.scale) / np.float32(scale))

    def unsupported(self) -> Iterator[str]:
        yield from differing_types(self, (self.x, self.y), self.types)
        if not have_quant(self.x, self.y):
            return
        if not -MOST_BITS <= self.output_scale().shift <= 0:
            yield f"the scales of {self.x.name} and {self.y.name} are too far apart for 16-bit fixed point"
        if not -MOST_BITS <= self.gate_scale().shift <= 2 * MOST_BITS:
            yield f"{self.x.name} has scale {self.x.scale:g}, which 16-bit fixed point can't take"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = (read(inputs[0]) - self.x.zero_point) << HIGH_BITS
        mantissa, shift = self.output_scale()
        scaled = truncated_divide(self._gate(x) * high_mul16(x, mantissa), 1 << 15)
        value = (round_shift(scaled, -shift) + self.y.zero_point).astype(np.int16)  # wraps, as in TFLM
        low, high = self.y.dtype.bounds
        return (np.clip(value, low, high).astype(self.y.dtype.numpy),)

    def on_real(self, x: Array) -> Array:
        return x * np.clip(x + np.float32(3), np.float32(0), np.float32(6)) / np.float32(6)

    def _gate(self, x: Array) -> Array:
        """min(max(x + 3, 0), 6) / 6 in 15 bits."""
        mantissa, shift = self.gate_scale()
        wide = saturate16(x << max(shift - 1, 0))
        gate = high_mul16(wide, mantissa)
        gate = saturate16(gate << 1) if shift > 0 else round_shift(gate, -shift)
        return np.asarray((gate + (1 << 15)) >> 1)
