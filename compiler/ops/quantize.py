"""QUANTIZE: float to integer at the border, or one integer quantisation to another inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import INT32_MAX, INT32_MIN, Multiplier, quantize_multiplier, rescale, saturate
from ..graph import Array, Clamp, DType, Node, Rounding
from .checks import not_per_tensor, too_steep, wrong_types
from .elementwise import ElementwiseOp

SMALL = (DType.INT8, DType.UINT8)


@dataclass(frozen=True, eq=False)
class Quantize(ElementwiseOp):
    rounding: Rounding

    kind = "QUANTIZE"
    summary = "real numbers to integers behind an input; one integer quantisation to another anywhere"
    limits = "int8 and uint8; float32 only from an input that nothing else reads"
    short = "quantize"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, Rounding.DOUBLE)

    @property
    def from_float(self) -> bool:
        return self.x.dtype is DType.FLOAT32

    def scale(self) -> Multiplier:
        return quantize_multiplier(self.x.scale / self.y.scale)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x,), (DType.FLOAT32, *SMALL))
        yield from wrong_types(self, (self.y,), SMALL)
        yield from not_per_tensor((self.x, self.y))
        if self.x.quant is not None and self.y.quant is not None:
            yield from too_steep(self.y, self.scale())

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        value = self._from_real(x) if self.from_float else self._from_integer(x)
        return (saturate(value + self.y.zero_point, Clamp(*self.y.dtype.bounds), self.y.dtype),)

    def _from_real(self, x: Array) -> Array:
        """Ties away from zero; beyond 32 bits it saturates, and what is not a number is 0, as on Cortex-M."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            ratio = np.nan_to_num(x.astype(np.float32) / np.float32(self.y.scale)).astype(np.float64)
        rounded = np.trunc(ratio + np.copysign(0.5, ratio))
        return np.asarray(np.clip(rounded, INT32_MIN, INT32_MAX).astype(np.int64))

    def _from_integer(self, x: Array) -> Array:
        mantissa, shift = self.scale()
        return rescale(x.astype(np.int64) - self.x.zero_point, mantissa, shift, self.rounding)
