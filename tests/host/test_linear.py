"""The linear form of ADD: exact on all pairs of bytes, and found for usual scales."""

from __future__ import annotations

import numpy as np

from tecompile.backends.native.linear import linear_form
from tecompile.graph import Clamp, DType, Quant, Rounding, Tensor
from tecompile.ops.add import Add

from .ops import Draw

VALUES = np.arange(-128, 128, dtype=np.int8)
A, B = np.repeat(VALUES, 256), np.tile(VALUES, 256)


def random_add(draw: Draw, spread: float) -> Add:
    a, b = (draw.tensor(name, A.shape) for name in "ab")
    larger = max(a.scale, b.scale)
    y = Tensor("y", A.shape, DType.INT8, Quant((larger * draw.power(-spread, spread),), (draw.number(-128, 127),)))
    return Add(0, (a, b), (y,), draw.clamp(), draw.rounding())


def test_linear_forms_are_exact() -> None:
    draw = Draw(np.random.default_rng(0))
    found = 0
    for _ in range(150):
        op = random_add(draw, draw.pick(1, 1, 8, 16))
        form = linear_form(op)
        if form is None:
            continue
        found += 1
        sums = form.weight_a * A.astype(np.int64) + form.weight_b * B.astype(np.int64) + form.offset
        assert abs(sums).max() < 1 << 31
        np.testing.assert_array_equal(np.clip(sums >> form.shift, *op.clamp), op.reference([A, B])[0])
    assert found > 100


def twice_the_scale(y_scale: float) -> Add:
    a, b = (Tensor(name, A.shape, DType.INT8, Quant((1.0,), (0,))) for name in "ab")
    y = Tensor("y", A.shape, DType.INT8, Quant((y_scale,), (0,)))
    return Add(0, (a, b), (y,), Clamp(-128, 127), Rounding.DOUBLE)


def test_ties_away_from_zero_are_within_reach() -> None:
    """Every odd sum is a tie; weights a little too large push them outwards."""
    op = twice_the_scale(2.0)
    assert linear_form(op) is not None
    one, none = np.array([1, -1], np.int8), np.zeros(2, np.int8)
    np.testing.assert_array_equal(op.reference([one, none])[0], [1, -1])


def test_factors_beyond_32_bits_have_no_form() -> None:
    assert linear_form(twice_the_scale(2.0**-12)) is None
