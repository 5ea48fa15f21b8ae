"""BATCH_MATMUL: products of the last two axes, for each entry of the axes before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, reduced_multiplier, rescale, rescale64, saturate, wrap32
from ..graph import Array, Clamp, DType, Node, Op, Quant, Rounding, Tensor
from .checks import not_per_tensor, too_steep, wrong_shape, wrong_types
from .fully_connected import FullyConnected
from .options import option_bool
from .scaled import LARGEST_WIDE_SHIFT

RANKS = range(2, 6)
DEEPEST = 1 << 17  # more products of int16 values may not fit TFLM's 64-bit rescaling


@dataclass(frozen=True, eq=False)
class BatchMatMul(Op):
    """Either matrix may be stored with its axes swapped (`adj_x`, `adj_y`), and either may be a constant."""

    adj_x: bool
    adj_y: bool
    rounding: Rounding

    kind = "BATCH_MATMUL"
    summary = "products of matrices, both computed at run time or one a constant"
    limits = "both alike; two to five axes"
    types = (DType.INT8, DType.INT16)
    short = "matmul"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        swapped = option_bool(node, "adj_x"), option_bool(node, "adj_y")
        return cls(node.index, node.inputs, node.outputs, *swapped, Rounding.DOUBLE)

    @property
    def other(self) -> Tensor:
        return self.required(1)

    @property
    def depth(self) -> int:
        return self.x.shape[-2 if self.adj_x else -1]

    @property
    def macs(self) -> int:
        return self.y.elements * self.depth

    @property
    def is_wide(self) -> bool:
        return self.x.dtype is DType.INT16

    def multiplier(self) -> Multiplier:
        factor = self.x.scale * self.other.scale / self.y.scale
        return reduced_multiplier(factor) if self.is_wide else quantize_multiplier(factor)

    def invalid(self) -> Iterator[str]:
        if min(len(self.x.shape), len(self.other.shape)) < 2:
            yield f"{self.x.describe()} and {self.other.describe()} are not both matrices"
            return
        (*first, rows, depth), (*second, depth2, columns) = self._shapes()
        try:
            batches = np.broadcast_shapes(tuple(first), tuple(second))
        except ValueError:
            yield f"the batches of {self.x.describe()} and {self.other.describe()} do not fit each other"
            return
        if depth != depth2:
            yield f"{self.x.describe()} times {self.other.describe()} sums {depth} and {depth2} products"
        yield from wrong_shape(self.y, (*batches, rows, columns))

    def _shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return _swapped(self.x.shape, self.adj_x), _swapped(self.other.shape, self.adj_y)

    def unsupported(self) -> Iterator[str]:
        tensors = (self.x, self.other, self.y)
        yield from wrong_types(self, (self.x,), self.types)
        yield from wrong_types(self, tensors[1:], (self.x.dtype,))
        yield from not_per_tensor(tensors)
        if any(len(t.shape) not in RANKS for t in tensors):
            yield f"{self.kind} with more than {RANKS.stop - 1} axes"
        quants = [t.quant for t in tensors]
        if self.x.dtype in (DType.INT8, DType.INT16) and None not in quants:
            yield from too_steep(self.y, self.multiplier())
        if self.x.dtype is DType.INT16:
            yield from self._unsupported_int16(quants)

    def _unsupported_int16(self, quants: Sequence[Quant | None]) -> Iterator[str]:
        if None in quants:
            yield f"{self.kind} carries no quantisation"
        elif self.multiplier().shift > LARGEST_WIDE_SHIFT:
            yield f"the scale of {self.y.name} is more than 2^{LARGEST_WIDE_SHIFT} times smaller than its inputs'"
        if any(quant is not None and any(quant.zero_points) for quant in quants):
            yield f"{self.kind} of int16 values with a zero point other than 0"
        if len(self.x.shape) >= 2 and self.depth > DEEPEST:
            yield f"sums of {self.depth} products of int16 values"

    def simpler(self) -> tuple[Op, ...]:
        """A constant matrix that all rows meet is that of a fully connected layer."""
        once = self.other.elements == self.other.shape[-1] * self.other.shape[-2]
        if self.is_wide or self.adj_x or not once or self.other.data is None or self.x.is_constant:
            return ()
        matrix = self.other.data.reshape(self.other.shape[-2:])
        matrix = np.ascontiguousarray(matrix if self.adj_y else matrix.T)
        weights = replace(self.other, name=f"{self.other.name}:weights", shape=matrix.shape, data=matrix)
        full = Clamp(*self.y.dtype.bounds)
        return (FullyConnected(self.index, (self.x, weights), self.outputs, full, self.rounding, "DEFAULT"),)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """In double precision: sums of 2^17 products of 32 bits are exact."""
        a, b = inputs[0], inputs[1]
        assert a is not None and b is not None
        left = _swapped_axes(a.astype(np.float64) - self.x.zero_point, self.adj_x)
        right = _swapped_axes(b.astype(np.float64) - self.other.zero_point, self.adj_y)
        acc = np.matmul(left, right).astype(np.int64)
        scale = self.multiplier()
        scaled = rescale64(acc, *scale) if self.is_wide else rescale(wrap32(acc), *scale, self.rounding)
        return (saturate(scaled + self.y.zero_point, Clamp(*self.y.dtype.bounds), self.y.dtype),)


def _swapped(shape: tuple[int, ...], swap: bool) -> tuple[int, ...]:
    return (*shape[:-2], shape[-1], shape[-2]) if swap else shape


def _swapped_axes(value: Array, swap: bool) -> Array:
    return np.swapaxes(value, -1, -2) if swap else value
