"""What makes bytes of sums over an image: AVERAGE_POOL_2D of one window, MEAN and SUM over rows and columns.

TFLite's own way, doubled sums and two roundings with the sign (requant.py); or one rounding, by a factor that
is proved for all sums there can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ...arith import rescale, truncated_divide
from ...graph import Array, Clamp, DType, Rounding
from ...ops.pool2d import AveragePool2D
from ...ops.reduction import ScaledSum
from ..native.lowering import Params, prefixed
from ..native.pool2d import is_global
from .requant import INT8, Requant
from .sum_form import LARGEST_COUNT, LARGEST_SHIFT, all_sums, largest_lift, sum_form

HALF_LIFT = 16  # what SMLAW takes off a product with a half
HALF_COUNT = 256  # bytes, whose sum is a half


@dataclass(frozen=True)
class Finish:
    """What te_dsp_finish is told."""

    bias: int  # added to the sum
    factor: int
    addend: int
    requant: Requant

    @property
    def params(self) -> Params:
        """Members that C knows."""
        kind, before, shift, low, high = self.requant.twin_numbers
        words = (self.factor & 0xFFFFFFFF, self.addend & 0xFFFFFFFF)
        how: Params = {"kind": kind, "before": before, "shift": shift, "low": low, "high": high}
        return {"bias": self.bias, "words": words, **prefixed("how", how)}


def finish_of(op: AveragePool2D | ScaledSum) -> Finish | None:
    """Proved for all sums there can be, or None."""
    image = op.x.image
    count = image.rows * image.columns
    if op.x.dtype is not DType.INT8 or op.y.dtype is not DType.INT8 or count > LARGEST_COUNT:
        return None
    if isinstance(op, AveragePool2D):
        return average_finish(count, op.ties_up, op.clamp) if is_global(op) else None
    if not op.is_global:
        return None
    scale = op.scale()
    return _scaled(count, (scale.mantissa, scale.shift), op.x.zero_point, op.y.zero_point, op.rounding)


@cache
def average_finish(count: int, ties_up: bool, clamp: Clamp) -> Finish | None:
    sums = all_sums(count)
    half = np.where((sums > 0) | ties_up, count // 2, -(count // 2))
    means = (sums + half) // count if ties_up else truncated_divide(sums + half, count)
    return _once(np.clip(means, *clamp), count, 1 / count, clamp)


@cache
def _scaled(count: int, scale: tuple[int, int], x_zero: int, y_zero: int, rounding: Rounding) -> Finish | None:
    """The accumulator of TFLite, doubled, as in requant.py; or the sum itself in one rounding."""
    mantissa, shift = scale
    sums = all_sums(count) - x_zero * count
    wanted = np.clip(rescale(sums, mantissa, shift, rounding) + y_zero, *INT8)
    right = -shift
    if 1 <= right <= LARGEST_SHIFT and 0 <= mantissa < 1 << 31:
        addend = (y_zero << right) + (1 << (right - 1))
        products = (2 * sums * mantissa + (1 << 31) >> 32) - (sums < 0)
        if np.array_equal(np.clip(products + addend >> right, *INT8), wanted):
            return Finish(-x_zero * count, mantissa, addend, Requant(True, -1, right, INT8))
    return _once(wanted, count, mantissa * 2.0 ** (shift - 31), INT8)


def _once(wanted: Array, count: int, ratio: float, clamp: Clamp) -> Finish | None:
    """In one rounding; a sum of 16 bits is lifted by 16, which is what SMLAW does."""
    lift = HALF_LIFT if count <= HALF_COUNT else largest_lift(count)
    form = sum_form(wanted, count, ratio, clamp, lift)
    return Finish(0, form.factor, form.addend, Requant(False, -form.lift, form.shift, clamp)) if form else None
