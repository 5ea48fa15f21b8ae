"""Factors in double precision, rounded once with ties away from zero, as integers that give the same outputs."""

from __future__ import annotations

import numpy as np

from ...arith import rescale_away
from ...errors import CannotMeet
from ...graph import Array, Clamp, Tensor

MANTISSA_BITS = 63
SMALLEST = -31  # exponent; below it no accumulator reaches half a step
NUDGES = range(0, 1025, 64)  # the product in double precision is rounded itself: up to half a unit of 53 bits


def away_multipliers(factors: Array, y: Tensor, clamp: Clamp) -> tuple[Array, Array, Array]:
    """Upper half (with a sign bit), shift and lower half of each mantissa, as te_rescale_away takes them."""
    fractions, exponents = np.frexp(np.abs(factors))
    tiny = exponents < SMALLEST
    mantissas = np.where(tiny, 0, (fractions * 2.0**MANTISSA_BITS).astype(np.uint64))
    shifts = np.where(tiny, 1, 31 - exponents.astype(np.int64))
    steps = np.arange(1, max(clamp.high - y.zero_point, y.zero_point - clamp.low) + 2) - 0.5
    wrong = np.ones(len(factors), np.bool_)
    for nudge in NUDGES:
        if not wrong.any():
            break
        tried = np.where(wrong & ~tiny, np.minimum(mantissas + np.uint64(nudge), np.uint64(2**63 - 1)), mantissas)
        failed = _differs(np.abs(factors), tried, shifts, steps)
        mantissas, wrong = np.where(wrong & ~failed, tried, mantissas), wrong & failed
    if wrong.any():
        raise CannotMeet(
            f"the factor {factors[wrong][0]} of {y.name} rounds in double precision as no integer does",
            "quantise the model again, with scales of its own data; or compile it without --rounding litert",
        )
    high = (mantissas >> np.uint64(32)).astype(np.int64) | (factors < 0).astype(np.int64) << 31
    return high, shifts, (mantissas & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _differs(factors: Array, mantissas: Array, shifts: Array, steps: Array) -> Array:
    """For each channel: is any output, next to where it changes, not that of the real factor?"""
    with np.errstate(divide="ignore"):
        changes = np.floor(np.minimum(steps / factors[:, None], 2.0**31))
    found = np.zeros(len(factors), np.bool_)
    for distance in (-1, 0, 1, 2):
        acc = np.clip(changes + distance, 0, 2**31 - 1)
        integer = _rescaled(acc.astype(np.uint64), mantissas[:, None], shifts[:, None].astype(np.uint64))
        found |= (integer != rescale_away(acc, factors[:, None])).any(axis=1)
    return found


def _rescaled(acc: Array, mantissas: Array, shifts: Array) -> Array:
    """te_rescale_away of what is not negative."""
    thirty_two, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    product = acc * (mantissas >> thirty_two) + (acc * (mantissas & low) >> thirty_two)
    return np.asarray(((product + (np.uint64(1) << (shifts - np.uint64(1)))) >> shifts).astype(np.int64))
