"""Functions of int16 as TFLite tabulates them: 513 points over the whole range, straight lines between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from ..graph import Array, Quant

STEPS = 512
FRACTION = 7  # bits of a value below those that number its point
_HALF = np.float32(0.5)
_LOW, _HIGH = -(1 << 15), (1 << 15) - 1
Real: TypeAlias = np.float32


def tabulate(function: Callable[[float], float], x: Quant, y: Quant) -> Array:
    """In float32, except for the function itself; each point makes up for half of the error in the middle."""
    low, high = _ends(x)
    bottom, top = _ends(y)
    steps = Real(1 << 16) / (top - bottom)
    values = [*_points(function, low, (high - low) / Real(STEPS), steps), _round(_real(function, high) * steps)]
    return np.clip(np.array(values, np.float64), _LOW, _HIGH).astype(np.int16)


def _ends(quant: Quant) -> tuple[Real, Real]:
    low, high = (Real(quant.scale) * Real(end - quant.zero_point) for end in (_LOW, _HIGH))
    return low, high


def _points(function: Callable[[float], float], low: Real, step: Real, steps: Real) -> Iterator[Real]:
    for i in range(STEPS):
        place = low + Real(i) * step
        here, after = _real(function, place) * steps, _real(function, low + Real(i + 1) * step) * steps
        middle = _real(function, place + step / Real(2)) * steps
        error = _round((after + _round(here)) / Real(2)) - _round(middle)
        yield _round(here) - _round(error / Real(2))


def _real(function: Callable[[float], float], value: Real) -> Real:
    return Real(function(float(value)))


def _round(value: Real) -> Real:
    """Ties away from zero."""
    return Real(np.trunc(value + np.copysign(_HALF, value)))


def look_up(table: Array, value: Array) -> Array:
    """Values of int16, held in any integer type that has room."""
    number, offset = 256 + (value >> FRACTION), value & ((1 << FRACTION) - 1)
    wide = table.astype(np.int64)
    slope = wide[number + 1] - wide[number]
    return np.asarray(wide[number] + ((slope * offset + (1 << (FRACTION - 1))) >> FRACTION))
