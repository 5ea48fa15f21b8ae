"""MEAN and SUM over any axes, rescaled to the output. A mean's division is folded into its multiplier."""

from __future__ import annotations

from dataclasses import dataclass

from ..arith import Multiplier, quantize_multiplier
from .reduction import ScaledSum


@dataclass(frozen=True, eq=False)
class Mean(ScaledSum):
    kind = "MEAN"
    summary = "mean over any axes"
    limits = "per tensor; constant axes"
    short = "mean"

    def scale(self) -> Multiplier:
        """The ratio of the scales over `count`, with as many bits as 32 allow."""
        mantissa, shift = quantize_multiplier(self.x.scale / self.y.scale)
        spare = min(63 - (64 - self.count.bit_length()), 32, 31 + shift)
        return Multiplier((mantissa << spare) // self.count, shift - spare)


@dataclass(frozen=True, eq=False)
class Sum(ScaledSum):
    kind = "SUM"
    summary = "sum over any axes"
    limits = "per tensor; constant axes; sums are TFLM's (LiteRT gives others)"
    short = "sum"

    def scale(self) -> Multiplier:
        return quantize_multiplier(self.x.scale / self.y.scale)
