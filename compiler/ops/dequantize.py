"""DEQUANTIZE: integers back to real numbers, at the border."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Array, DType
from .checks import QUANTISED, wrong_types
from .elementwise import ElementwiseOp, not_quantised


@dataclass(frozen=True, eq=False)
class Dequantize(ElementwiseOp):
    kind = "DEQUANTIZE"
    summary = "integers to real numbers"
    limits = "to an output (one for each tensor), or before real functions that become tables"
    types = QUANTISED
    short = "dequantize"

    def unsupported(self) -> Iterator[str]:
        yield from not_quantised(self, (self.x,), self.types)
        yield from wrong_types(self, (self.y,), (DType.FLOAT32,))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        with np.errstate(over="ignore", under="ignore"):
            return (((x.astype(np.float64) - self.x.zero_point) * self.x.scale).astype(np.float32),)
