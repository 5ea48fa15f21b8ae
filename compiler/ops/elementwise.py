"""Operators that make each value from the one value at the same place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier
from ..graph import Array, DType, Node, Op, Region, Tensor
from .checks import not_per_tensor, wrong_shape, wrong_types

WIDE = (DType.INT16, DType.INT32)


def not_quantised(op: Op, tensors: tuple[Tensor, ...], allowed: tuple[DType, ...]) -> Iterator[str]:
    """Types that are not allowed, and whatever lacks the scale its arithmetic needs."""
    yield from wrong_types(op, tensors, allowed)
    yield from not_per_tensor(tensors)
    for tensor in tensors:
        if tensor.quant is None and tensor.dtype is DType.INT32:
            yield f"{tensor.name} carries no quantisation"


def off_centre(tensors: tuple[Tensor, ...]) -> Iterator[str]:
    """Wide types whose zero point is not 0, as arithmetic on them takes it to be."""
    for tensor in tensors:
        if tensor.dtype in WIDE and tensor.quant is not None and any(tensor.quant.zero_points):
            yield f"{tensor.name} is {tensor.dtype.value} with zero point {tensor.zero_point}, not 0"


def differing_types(op: Op, tensors: tuple[Tensor, ...], allowed: tuple[DType, ...]) -> Iterator[str]:
    """The same for operators all of whose tensors have one type."""
    first = tensors[0].dtype
    yield from not_quantised(op, tensors, (first,) if first in allowed else allowed)
    yield from off_centre(tensors)


def have_quant(*tensors: Tensor) -> bool:
    return all(t.quant is not None for t in tensors)


def factor(scales: tuple[float, ...], output: float, single: bool) -> Multiplier:
    """Product of scales / scale of the output: in double precision as in TFLM, or in single as in LiteRT."""
    real = np.dtype(np.float32 if single else np.float64)
    with np.errstate(all="ignore"):
        return quantize_multiplier(float(np.prod(np.array(scales, real)) / np.array(output, real)))


def read(value: Array | None) -> Array:
    """An input that can't be absent, wide enough to compute with."""
    assert value is not None
    return value.astype(np.int64)


@dataclass(frozen=True, eq=False)
class ElementwiseOp(Op):
    """One input, one output of the same shape."""

    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @property
    def streams(self) -> bool:
        return True

    def window(self, index: int, region: Region) -> Region:
        return region

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, self.x.shape)
