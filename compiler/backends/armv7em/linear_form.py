"""ADD or SUB of bytes as one integer linear form, found by search and proved on all 65,536 pairs.

    y = clamp(((weight a * a >> 8) + (weight b * b >> 8) + offset) >> shift)

Each pair confines the sum to an interval; the form exists where the largest lower end minus sums does not
exceed the smallest upper end: the gap between them, which is concave in the weights. Real weights mostly do;
if not, the pairs at both ends tell in which direction the gap grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import floor, log2

import numpy as np

from ...graph import Array, Clamp, DType, Quant, Rounding, Tensor
from ...ops.add import Add, Sub

SPARE_BITS = 8  # of weights, below the last bit of their products
LARGEST_SHIFT = 23
STEPS = 24  # of the search
MARGIN = 16  # how far beyond a gap of 0 a step aims
OPEN = 1 << 40  # an end that is none
VALUES = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True)
class LinearForm:
    weight_a: int
    weight_b: int
    offset: int
    shift: int


def linear_form(op: Add | Sub) -> LinearForm | None:
    """Exactly this operator, or None."""
    quants = (op.x.quant, op.b.quant, op.y.quant)
    assert all(quant is not None for quant in quants)
    return _search(type(op), *quants, op.clamp, op.rounding, op.single)


@cache
def _search(
    kind: type[Add | Sub], a: Quant, b: Quant, y: Quant, clamp: Clamp, rounding: Rounding, single: bool
) -> LinearForm | None:
    tensors = [Tensor(name, (256, 256), DType.INT8, quant) for name, quant in (("a", a), ("b", b), ("y", y))]
    op = kind(0, tuple(tensors[:2]), (tensors[2],), clamp, rounding, single)
    wanted = op.reference((VALUES[:, None], VALUES[None, :]))[0].astype(np.int64)
    weights = np.array([a.scale, b.scale if kind is Add else -b.scale]) / y.scale
    offset = y.zero_point - float(weights @ (a.zero_point, b.zero_point))
    shift = _shift(weights, offset)
    return None if shift is None else _climb(wanted, clamp, weights, offset, shift)


def _shift(weights: Array, offset: float) -> int | None:
    """The largest that keeps sums below 2^31 and weights in 32 bits."""
    largest = 128 * np.abs(weights).sum() + abs(offset) + 2
    room = min(31 - log2(largest), 31 - SPARE_BITS - log2(np.abs(weights).max()))
    shift = min(floor(room - 1e-6), LARGEST_SHIFT)
    return shift if shift > 0 else None


def _climb(wanted: Array, clamp: Clamp, weights: Array, offset: float, shift: int) -> LinearForm | None:
    lowest = np.where(wanted > clamp.low, wanted << shift, -OPEN)
    highest = np.where(wanted < clamp.high, (wanted + 1 << shift) - 1, OPEN)
    for _ in range(STEPS):
        integers = np.rint(weights * 2.0 ** (shift + SPARE_BITS)).astype(np.int64)
        sums = _sums(integers)
        low, high = lowest - sums, highest - sums
        at_low, at_high = np.unravel_index(low.argmax(), sums.shape), np.unravel_index(high.argmin(), sums.shape)
        first, last = int(low[at_low]), int(high[at_high])
        uphill = np.array(at_low) - np.array(at_high)
        if first <= last or not uphill.any():
            return _proved(integers, (first, last), round(offset * 2**shift), shift)
        weights = weights + uphill * ((MARGIN + first - last) / 2.0**shift / (uphill @ uphill))
    return None


def _sums(weights: Array) -> Array:
    a, b = (weight * VALUES >> SPARE_BITS for weight in weights)
    return np.asarray(a[:, None] + b[None, :])


def _proved(weights: Array, ends: tuple[int, int], wish: int, shift: int) -> LinearForm | None:
    """With the offset in the middle of its interval, or near the real one if that is open."""
    first, last = ends
    offset = (first + last) // 2 if last - first < OPEN // 2 else min(max(wish, first), last)
    largest = int(np.abs(_sums(weights)).max()) + abs(offset)
    fits = first <= last and largest < 1 << 31 and int(np.abs(weights).max()) < 1 << 31
    return LinearForm(int(weights[0]), int(weights[1]), offset, shift) if fits else None
