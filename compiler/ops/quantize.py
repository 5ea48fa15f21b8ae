"""QUANTIZE: float to integer at the border, or one integer quantisation to another inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import INT32_MAX, INT32_MIN, LARGEST_SHIFT, Multiplier, quantize_multiplier, rescale, saturate, wrap32
from ..graph import Array, Clamp, DType, Node, Rounding
from .checks import too_steep
from .elementwise import ElementwiseOp, have_quant, not_quantised, off_centre

INTEGERS = (DType.INT8, DType.UINT8, DType.INT16, DType.INT32)
# What becomes what: pairs that TFLM has, and uint8 from uint8 and real numbers.
WAYS = {
    DType.FLOAT32: (DType.INT8, DType.UINT8, DType.INT16),
    DType.INT8: INTEGERS,
    DType.UINT8: (DType.INT8, DType.UINT8),
    DType.INT16: (DType.INT8, DType.INT16, DType.INT32),
    DType.INT32: (DType.INT8, DType.INT16),
}


@dataclass(frozen=True, eq=False)
class Quantize(ElementwiseOp):
    rounding: Rounding

    kind = "QUANTIZE"
    summary = "real numbers to integers behind an input; one integer quantisation to another anywhere"
    limits = "float32 from an input that nothing else reads, or behind real functions that become tables"
    types = INTEGERS
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
        if self.from_float:
            yield from not_quantised(self, (self.y,), WAYS[self.x.dtype])
            return
        yield from not_quantised(self, (self.x,), self.types)
        yield from not_quantised(self, (self.y,), WAYS.get(self.x.dtype, INTEGERS))
        yield from off_centre((self.y,))
        if have_quant(self.x, self.y):
            yield from too_steep(self.y, self.scale())
            yield from self._too_large()

    def _too_large(self) -> Iterator[str]:
        """Rounding once, kernels saturate where 8 and 16 bits do for certain."""
        bits = 8 * self.x.dtype.size + self.scale().shift
        if self.y.dtype is DType.INT32 and self.rounding is Rounding.SINGLE and bits > LARGEST_SHIFT:
            yield f"{self.y.name} needs more than {LARGEST_SHIFT} bits, which rounding once can't give"

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
        return rescale(wrap32(x.astype(np.int64) - self.x.zero_point), mantissa, shift, self.rounding)
