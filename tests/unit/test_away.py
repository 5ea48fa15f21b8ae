"""Rounding of TensorFlow Lite's other kernels: with 64-bit accumulators, and once with ties away from zero."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tecompile.arith import reduced_multiplier, rescale64, rescale_away
from tecompile.backends.native.away import away_multipliers
from tecompile.graph import Clamp, DType, Quant, Tensor

Y = Tensor("y", (1,), DType.INT8, Quant((1.0,), (-7,)))


def nearest_away(value: Fraction) -> int:
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def by_integers(acc: int, high: int, shift: int, low: int) -> int:
    """What te_rescale_away computes."""
    product = abs(acc) * (high & 0x7FFFFFFF) + (abs(acc) * low >> 32)
    value = (product + (1 << shift - 1)) >> shift
    return -value if (acc < 0) != bool(high >> 31) else value


def test_ties_go_away_from_zero() -> None:
    assert rescale_away(np.array([-3, -1, 0, 1, 3, 5]), 0.5).tolist() == [-2, -1, 0, 1, 2, 3]


@pytest.mark.parametrize("factor", [2.0**-32, 2.0**-9, 0.003, 1 / 3, 0.5, 1.0, 7.7, 2.0**29, -0.01])
def test_real_factors_become_integers(factor: float) -> None:
    high, shift, low = (int(v[0]) for v in away_multipliers(np.array([factor]), Y, Clamp(-128, 127)))
    rng = np.random.default_rng(3)
    near = np.arange(-140, 140) / factor
    accs = np.concatenate([near, near + 0.5 / factor, rng.uniform(-200, 200, 500) / factor])
    for acc in np.clip(np.rint(accs), -(2**31), 2**31 - 1).astype(np.int64).tolist():
        expected = nearest_away(Fraction(acc * factor))
        assert by_integers(acc, high, shift, low) == expected == rescale_away(np.array([acc]), factor)[0]


def test_a_factor_too_small_for_half_a_step_is_none() -> None:
    high, _, low = away_multipliers(np.array([2.0**-40]), Y, Clamp(-128, 127))
    assert (high[0], low[0]) == (0, 0)


def test_wide_accumulators_take_sixteen_bits_of_mantissa() -> None:
    assert reduced_multiplier(1 - 2.0**-20) == (0x7FFF, 0)
    assert reduced_multiplier(0.75) == (0x6000, 0)
    assert rescale64(np.array([3, -3, 1 << 40]), 1 << 14, -1).tolist() == [1, -1, 0]  # the last result wraps
