"""Forms of ADD, SUB and MUL: equal for all pairs of bytes, or not offered."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.backends.armv7em.linear_form import VALUES, LinearForm, linear_form
from tecompile.backends.armv7em.linear_pair import LinearCode
from tecompile.backends.armv7em.pairs import pair_kernel, walk_of
from tecompile.backends.armv7em.product_pair import ProductCode, product_form
from tecompile.graph import Clamp, DType, Quant, Rounding, Tensor
from tecompile.ops.add import Add, Sub
from tecompile.ops.mul import Mul
from tests.tools.graphs import FULL

GRID = (VALUES[:, None], VALUES[None, :])


def operator(
    kind: type[Add | Sub | Mul],
    scales: tuple[float, float, float],
    zeros: tuple[int, int, int],
    clamp: Clamp = FULL,
    rounding: Rounding = Rounding.DOUBLE,
) -> Add | Sub | Mul:
    quants = [Quant((float(np.float32(s)),), (z,)) for s, z in zip(scales, zeros, strict=True)]
    a, b, y = (Tensor(name, (1, 256), DType.INT8, quant) for name, quant in zip("aby", quants, strict=True))
    return kind(0, (a, b), (y,), clamp, rounding)


def sums(form: LinearForm) -> np.ndarray:
    a, b = (form.weight_a * GRID[0] >> 8), (form.weight_b * GRID[1] >> 8)
    return np.asarray(a + b + form.offset)


def random_operator(kind: type[Add | Sub | Mul], seed: int) -> Add | Sub | Mul:
    random = np.random.default_rng(seed)
    a, b = (float(s) for s in random.uniform(0.003, 0.1, 2))
    y = float(random.uniform(0.3, 3)) * (a * b * 100 if kind is Mul else max(a, b))
    zeros = tuple(int(z) for z in random.integers(-128, 128, 3))
    low, high = sorted(int(v) for v in random.integers(-128, 128, 2))
    clamp = Clamp(low, high) if seed % 3 == 0 else FULL
    rounding = Rounding.SINGLE if seed % 4 == 1 and kind is not Mul else Rounding.DOUBLE
    return operator(kind, (a, b, y), (zeros[0], zeros[1], zeros[2]), clamp, rounding)


@pytest.mark.parametrize("kind", [Add, Sub])
@pytest.mark.parametrize("seed", range(12))
def test_sums_have_a_linear_form(kind: type[Add | Sub], seed: int) -> None:
    op = random_operator(kind, seed)
    assert isinstance(op, (Add, Sub))
    form = linear_form(op)
    assert form is not None
    assert np.abs(sums(form)).max() < 1 << 31
    np.testing.assert_array_equal(np.clip(sums(form) >> form.shift, *op.clamp), op.reference(GRID)[0])


@pytest.mark.parametrize("seed", range(12))
def test_products_have_a_form(seed: int) -> None:
    op = random_operator(Mul, seed)
    assert isinstance(op, Mul)
    form = product_form(op)
    assert form is not None
    products = (GRID[0] - op.x.zero_point) * (GRID[1] - op.b.zero_point)
    np.testing.assert_array_equal(form.values(products, op.clamp), op.reference(GRID)[0])


def test_a_form_that_the_nearest_integers_miss() -> None:
    """Of a real network: the weights of 22 bits that the portable kernel takes are too coarse for it."""
    scales = (0.039393551647663116, 0.10419496148824692, 0.050945673137903214)
    op = operator(Add, scales, (-128, 4, -128))
    assert isinstance(op, Add)
    assert linear_form(op) is not None


def test_signs_of_products_are_left_out_where_they_cannot_matter() -> None:
    linear, relu = operator(Mul, (0.02, 0.03, 0.08), (3, -4, -5)), operator(Mul, (0.02, 0.03, 0.08), (3, -4, -128))
    assert isinstance(linear, Mul)
    assert isinstance(relu, Mul)
    signed, plain = product_form(linear), product_form(relu)
    assert signed is not None
    assert plain is not None
    assert (signed.signed, plain.signed) == (True, False)


def test_products_without_a_right_shift_are_left_to_c() -> None:
    op = operator(Mul, (1.0, 1.0, 0.5), (0, 0, 0))
    assert isinstance(op, Mul)
    assert product_form(op) is None


@pytest.mark.parametrize("fixed", [False, True])
def test_words_meet_their_budget(fixed: bool) -> None:
    """With the loads of both operands, or one: 22 instructions of a sum, 28 of a product."""
    loads = 1 if fixed else 2
    assert len(list(LinearCode(21, FULL).word(fixed))) + loads == (15 if fixed else 22)
    assert len(list(ProductCode(9, True, FULL).word(fixed))) + loads == (23 if fixed else 28)
    for code in (LinearCode(21, Clamp(-5, 9)), ProductCode(9, False, FULL)):
        assert pair_kernel(code, fixed).name.startswith(code.stem)


def test_a_column_that_repeats_is_copied() -> None:
    a, b = (Tensor(n, (1, *s), DType.INT8, Quant((0.1,), (0,))) for n, s in (("a", (4, 1, 1)), ("b", (1, 5, 1))))
    y = Tensor("y", (1, 4, 5, 1), DType.INT8, Quant((0.2,), (0,)))
    walk = walk_of(Add(0, (a, b), (y,), FULL, Rounding.DOUBLE))
    assert walk is not None
    assert (walk.repeats, walk.runs) == (5, 4)
