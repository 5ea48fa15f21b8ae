"""Exponential, reciprocal and logistic in 32-bit fixed point, as TFLite's integer kernels compute them."""

from __future__ import annotations

import numpy as np

from .arith import INT32_MAX, INT32_MIN, high_mul, round_shift
from .graph import Array

ONE = INT32_MAX  # 1.0 in Q0.31
EXP_MINUS_EIGHTH = 1895147668
ONE_THIRD = 715827883
# exp(-2^k) in Q0.31 for k = -2 ... 4: one factor for each bit of the argument above a quarter
EXP_OF_BITS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
FORTY_EIGHT_SEVENTEENTHS = 1515870810  # Q2.29
MINUS_THIRTY_TWO_SEVENTEENTHS = -1010580540  # Q2.29


def _saturate(value: Array) -> Array:
    return np.clip(value, INT32_MIN, INT32_MAX)


def _exp_of_fraction(low: Array) -> Array:
    """exp of a Q0.31 number in [-1/4, 0): Taylor's series around -1/8."""
    x = low + (1 << 28)
    x2 = high_mul(x, x)
    x3_x4 = high_mul(x2, x) + round_shift(high_mul(x2, x2), 2)
    series = round_shift(high_mul(x3_x4, ONE_THIRD) + x2, 1)
    return _saturate(EXP_MINUS_EIGHTH + high_mul(EXP_MINUS_EIGHTH + 0 * x, x + series))


def exp_on_negative_values(value: Array, integer_bits: int = 5) -> Array:
    """exp of numbers <= 0 with so many bits before the point (at most 5), as Q0.31."""
    first = 29 - integer_bits  # the bit that counts quarters
    quarter = 1 << first
    low = (value & (quarter - 1)) - quarter
    result = _exp_of_fraction(_saturate(low << integer_bits))
    for bit, factor in enumerate(EXP_OF_BITS[: 2 + integer_bits], start=first):
        result = np.where((low - value) >> bit & 1, high_mul(result, factor), result)
    return np.where(value == 0, ONE, result)


def reciprocal_of_sum(total: Array, integer_bits: int) -> tuple[Array, Array]:
    """1 / total as Q0.31 in (1/2, 1], and how many bits `total` is above one."""
    headroom = 32 - np.frexp(total.astype(np.float64))[1].astype(np.int64)
    return _one_over_one_plus((total << headroom) - (1 << 31)), integer_bits - headroom


def logistic(value: Array, integer_bits: int) -> Array:
    """1 / (1 + exp(-value)), as Q0.31."""
    upper = _one_over_one_plus(exp_on_negative_values(-np.abs(value), integer_bits))
    return np.where(value == 0, 1 << 30, np.where(value > 0, upper, ONE - upper))


def _one_over_one_plus(fraction: Array) -> Array:
    """1 / (1 + fraction) for Q0.31 numbers of 0 ... 1: Newton's method from a straight line."""
    half = (fraction + ONE + 1) >> 1  # (1 + fraction) / 2, rounded; the sum is never negative
    x = FORTY_EIGHT_SEVENTEENTHS + high_mul(half, MINUS_THIRTY_TWO_SEVENTEENTHS)
    for _ in range(3):
        error = (1 << 29) - high_mul(half, x)
        x = x + _saturate(high_mul(x, error) << 2)
    return _saturate(x << 1)
