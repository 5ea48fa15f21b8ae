"""Operators that converters sometimes leave in float32, between DEQUANTIZE and QUANTIZE, or at the end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..graph import Array, DType, Op, State


@dataclass(frozen=True, eq=False)
class RealOp(Op):
    """Computed on integers, or on real numbers as TFLM's float kernel does. Never so on the device: see passes."""

    @property
    def in_real(self) -> bool:
        return self.x.dtype is self.y.dtype is DType.FLOAT32

    def evaluate(self, inputs: Sequence[Array | None], state: State) -> tuple[Array, ...]:
        if not self.in_real:
            return self.reference(inputs)
        x = inputs[0]
        assert x is not None
        with np.errstate(all="ignore"):
            return (np.asarray(self.on_real(x), np.float32),)

    @abstractmethod
    def on_real(self, x: Array) -> Array:
        """Of values in float32."""


def each(function: Callable[[float], float], values: Array) -> Array:
    """A function of the C library in single precision: its results are those of double precision, rounded."""

    def rounded(value: float) -> np.float32:
        try:
            return np.float32(function(value))
        except OverflowError:
            return np.float32(np.inf)
        except ValueError:
            return np.float32(np.nan)

    return np.asarray(np.vectorize(rounded, otypes=[np.float32])(values.astype(np.float64)))


def sum_in_order(values: Array) -> Array:
    """Along the last axis, one after the other, each sum rounded to float32."""
    return np.asarray(np.cumsum(values, axis=-1, dtype=np.float32)[..., -1:])
