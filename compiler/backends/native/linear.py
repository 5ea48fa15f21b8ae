"""ADD or SUB as one integer linear form, if there is one: found by search, proved on all 65,536 pairs of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from ...graph import Array, Clamp, DType, Quant, Rounding, Tensor
from ...ops.add import Add, Sub

SHIFTS = range(22, 13, -1)  # from precise to coarse; products of bytes stay below 2^31
NEAR = (0, -1, 1)  # how far from the rounded real weight to look


class Linear(NamedTuple):
    """clamp((weight_a * a + weight_b * b + offset) >> shift)."""

    weight_a: int
    weight_b: int
    offset: int
    shift: int


def linear_form(op: Add | Sub) -> Linear | None:
    """Exactly this operator, or None."""
    if op.x.dtype is not DType.INT8:
        return None
    quants = (op.x.quant, op.b.quant, op.y.quant)
    assert all(q is not None for q in quants)
    return _search(type(op), *quants, op.clamp, op.rounding)


@cache
def _search(kind: type[Add | Sub], a: Quant, b: Quant, y: Quant, clamp: Clamp, rounding: Rounding) -> Linear | None:
    values = np.arange(-128, 128, dtype=np.int8)
    grid = [np.repeat(values, 256), np.tile(values, 256)]
    tensors = [Tensor(name, (65536,), DType.INT8, q) for name, q in (("a", a), ("b", b), ("y", y))]
    wanted = kind(0, tuple(tensors[:2]), (tensors[2],), clamp, rounding).reference(grid)[0].astype(np.int64)
    sign = 1 if kind is Add else -1
    for shift in SHIFTS:
        for weights in _weights(a.scale / y.scale, sign * b.scale / y.scale, shift):
            sums = weights[0] * grid[0].astype(np.int64) + weights[1] * grid[1].astype(np.int64)
            offset = _offset(sums, wanted, clamp, shift)
            if offset is not None and np.abs(sums).max() + abs(offset) < 1 << 31:
                return Linear(*weights, offset, shift)
    return None


def _weights(a: float, b: float, shift: int) -> Iterator[tuple[int, int]]:
    """Integers near the real weights; their products with a byte must fit 30 bits."""
    middle = round(a * 2.0**shift), round(b * 2.0**shift)
    if max(map(abs, middle)) < 1 << 22:
        for near_a, near_b in product(NEAR, NEAR):
            yield middle[0] + near_a, middle[1] + near_b


def _offset(sums: Array, wanted: Array, clamp: Clamp, shift: int) -> int | None:
    """A number that brings every sum into the interval of its output; clamped outputs are open to one side."""
    lowest = ((wanted << shift) - sums)[wanted > clamp.low]
    highest = ((wanted + 1 << shift) - 1 - sums)[wanted < clamp.high]
    low = int(lowest.max(initial=-(1 << 40)))
    high = int(highest.min(initial=1 << 40))
    if low > high:
        return None
    return min(max((low + high) // 2, -(1 << 30)), 1 << 30) if low <= 1 << 30 and high >= -(1 << 30) else None
