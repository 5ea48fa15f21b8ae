"""Fixed-point arithmetic against exact rationals and a transcription of the C, one number at a time."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tecompile.arith import (
    INT32_MAX,
    INT32_MIN,
    LARGEST_SHIFT,
    Clamp,
    Multiplier,
    activation_clamp,
    high_mul,
    quantize_multiplier,
    rescale,
    round_half_away,
    round_shift,
    saturate,
    truncated_divide,
    wrap32,
)
from tecompile.fixed_point import exp_on_negative_values, reciprocal_of_sum
from tecompile.graph import DType, Quant, Rounding

INT32 = st.integers(INT32_MIN, INT32_MAX)
MANTISSAS = st.one_of(st.just(0), st.integers(1 << 30, INT32_MAX), st.integers(-INT32_MAX, -(1 << 30)))
ARRAYS = st.lists(INT32, min_size=1, max_size=20)
HALF = Fraction(1, 2)


def nearest(value: Fraction, away: bool) -> int:
    """Round to nearest; ties away from zero, or up."""
    if away and value < 0:
        return -math.floor(-value + HALF)
    return math.floor(value + HALF)


def c_divide(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def c_high_mul(a: int, b: int) -> int:
    """SaturatingRoundingDoublingHighMul as gemmlowp writes it."""
    if a == b == INT32_MIN:
        return INT32_MAX
    nudge = 1 << 30 if a * b >= 0 else 1 - (1 << 30)
    return c_divide(a * b + nudge, 1 << 31)


@given(st.floats(-1e9, 1e9))
@example(0.49999999999999994)
@example(-2.5)
def test_round_half_away(value: float) -> None:
    assert round_half_away(value) == nearest(Fraction(value), away=True)


@given(st.floats(2.0**-31, 2.0**30))
def test_multiplier_is_the_nearest_of_31_bits(factor: float) -> None:
    mantissa, shift = quantize_multiplier(factor)
    assert 1 << 30 <= mantissa <= INT32_MAX
    unit = Fraction(2) ** (shift - 31)
    assert abs(mantissa * unit - Fraction(factor)) <= unit / 2


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (0.0, (0, 0)),
        (1.0, (1 << 30, 1)),
        (0.5, (1 << 30, 0)),
        (-0.75, (-3 << 29, 0)),
        (1 - 2.0**-40, (1 << 30, 1)),  # rounds up to the next power of two
        (2.0**-32, (1 << 30, -31)),
        (2.0**-33, (0, 0)),  # flushed
    ],
)
def test_multipliers(factor: float, expected: tuple[int, int]) -> None:
    assert quantize_multiplier(factor) == expected


def test_a_multiplier_too_large_for_floats_is_recognised() -> None:
    assert quantize_multiplier(math.inf).shift > LARGEST_SHIFT


@given(ARRAYS, MANTISSAS)
@example([INT32_MIN, INT32_MAX], INT32_MIN)
def test_high_mul(values: list[int], factor: int) -> None:
    assert high_mul(np.array(values), factor).tolist() == [c_high_mul(v, factor) for v in values]


@given(ARRAYS, st.integers(0, 31))
def test_round_shift(values: list[int], bits: int) -> None:
    exact = [nearest(Fraction(v, 1 << bits), away=True) for v in values]
    assert round_shift(np.array(values), bits).tolist() == exact


@given(st.integers(-(1 << 23), 1 << 23), MANTISSAS, st.integers(-31, 7))
def test_rescale_rounds_twice(value: int, mantissa: int, shift: int) -> None:
    high = c_high_mul(value << max(shift, 0), mantissa)
    expected = nearest(Fraction(high, 1 << max(-shift, 0)), away=True)
    assert rescale(np.array([value]), mantissa, shift).tolist() == [expected]


@given(st.integers(-(1 << 23), 1 << 23), MANTISSAS, st.integers(-31, 7))
def test_rescale_rounds_once(value: int, mantissa: int, shift: int) -> None:
    exact = value * mantissa * Fraction(2) ** (shift - 31)
    assert rescale(np.array([value]), mantissa, shift, Rounding.SINGLE).tolist() == [nearest(exact, away=False)]


def test_rescale_takes_a_factor_for_each_channel() -> None:
    acc = np.array([[100, 100], [-6, -6]])
    scaled = rescale(acc, np.array([1 << 30, 1 << 30]), np.array([0, 2]))
    assert scaled.tolist() == [[50, 200], [-3, -12]]


def test_rounding_twice_may_reach_further_than_rounding_once() -> None:
    """A quarter becomes a half, and then one."""
    value, factor = np.array([1]), Multiplier(1 << 30, -1)
    assert rescale(value, *factor).tolist() == [1]
    assert rescale(value, *factor, Rounding.SINGLE).tolist() == [0]


@given(ARRAYS, st.integers(1, 1000))
def test_truncated_divide(values: list[int], divisor: int) -> None:
    assert truncated_divide(np.array(values), divisor).tolist() == [c_divide(v, divisor) for v in values]


def test_wrap32_keeps_the_low_bits() -> None:
    assert wrap32(np.array([1 << 31, (1 << 32) + 5, -(1 << 31) - 1])).tolist() == [INT32_MIN, 5, INT32_MAX]


@pytest.mark.parametrize(
    ("activation", "quant", "expected"),
    [
        ("NONE", Quant((0.1,), (3,)), (-128, 127)),
        ("RELU", Quant((0.1,), (3,)), (3, 127)),
        ("RELU6", Quant((0.1,), (3,)), (3, 63)),
        ("RELU6", Quant((0.01,), (-128,)), (-128, 127)),
        ("RELU_N1_TO_1", Quant((0.1,), (3,)), (-7, 13)),
        ("RELU6", Quant((1e-45,), (0,)), (0, 127)),  # 6 / scale is infinite in float32
    ],
)
def test_activation_clamp(activation: str, quant: Quant, expected: tuple[int, int]) -> None:
    assert activation_clamp(activation, quant, DType.INT8) == expected


def test_saturate() -> None:
    value = saturate(np.array([-1000, -3, 4, 1000]), Clamp(-5, 100), DType.INT8)
    assert value.tolist() == [-5, -3, 4, 100]
    assert value.dtype == np.int8


def test_exp_is_close_to_exp() -> None:
    q5_26 = -np.arange(0, 1 << 31, 12345677, dtype=np.int64)
    ours = exp_on_negative_values(q5_26) / 2.0**31
    np.testing.assert_allclose(ours, np.exp(q5_26 / 2.0**26), atol=2e-7)


@given(st.integers(1 << 19, (1 << 31) - 1))
def test_reciprocal_is_close_to_the_reciprocal(total: int) -> None:
    """`total` is a Q12.19 number of at least one."""
    value, over_unit = reciprocal_of_sum(np.array([total]), 12)
    real = value[0] / 2.0**31 / 2.0 ** int(over_unit[0])
    assert math.isclose(real, 2.0**19 / total, rel_tol=1e-7)
