"""DEQUANTIZE: integers back to real numbers, at the border."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..graph import Array, DType, Node
from .checks import not_per_tensor, wrong_types
from .elementwise import ElementwiseOp


@dataclass(frozen=True, eq=False)
class Dequantize(ElementwiseOp):
    kind = "DEQUANTIZE"
    summary = "integers to real numbers"
    limits = "only to an output, one for each tensor"
    short = "dequantize"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x,), (DType.INT8, DType.UINT8))
        yield from wrong_types(self, (self.y,), (DType.FLOAT32,))
        yield from not_per_tensor((self.x,))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        with np.errstate(over="ignore", under="ignore"):
            return (((x.astype(np.float64) - self.x.zero_point) * self.x.scale).astype(np.float32),)
