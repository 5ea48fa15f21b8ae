"""PRELU: negative values are scaled by factors of a second tensor, mostly one for each channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arith import Multiplier, rescale
from ..graph import Array
from .broadcast import BroadcastOp
from .checks import BYTES, too_steep
from .elementwise import factor


@dataclass(frozen=True, eq=False)
class Prelu(BroadcastOp):
    kind = "PRELU"
    summary = "negative values are scaled by factors that broadcast"
    limits = "per tensor; of uint8, only the factors may repeat"
    short = "prelu"
    result = "shape"
    types = BYTES
    folded = ()

    def positive_scale(self) -> Multiplier:
        return factor((self.x.scale,), self.y.scale, self.single)

    def scale(self) -> Multiplier:
        """Of a product."""
        return factor((self.x.scale, self.b.scale), self.y.scale, self.single)

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.single and self.x.shape != self.y.shape:
            yield f"{self.x.describe()} would have to repeat, which LiteRT's reference kernel refuses"

    def unsupported_scales(self) -> Iterator[str]:
        yield from too_steep(self.y, self.positive_scale())
        yield from too_steep(self.y, self.scale())

    def scaled(self, a: Array, b: Array) -> Array:
        value = a - self.x.zero_point
        product = value * (b - self.b.zero_point)
        positive = rescale(value, *self.positive_scale(), self.rounding)
        return np.where(value >= 0, positive, rescale(product, *self.scale(), self.rounding))

    def exact(self, a: Array, b: Array) -> Array:
        return np.where(a >= 0, a, a * b)
