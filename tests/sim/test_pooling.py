"""Means over images in generated assembly: any number of channels and pixels, both ways to round, all bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tecompile.graph import Clamp, DType, Graph, Op, Quant, Rounding, Tensor
from tecompile.ops.mean import Mean, Sum
from tecompile.ops.pool2d import AveragePool2D
from tecompile.target import Candidate
from tests.tools.graphs import Builder

from .layers import SEEDS, Wanted, counts, everywhere, kernels, prove, prove_twins, side_by_side

LAYERS = 12


def whole(candidate: Candidate) -> bool:
    return candidate.kernel == "te_pool_whole"


def sums(candidate: Candidate) -> bool:
    return candidate.kernel == "te_pool_sums"


KERNELS: list[Wanted] = [whole, sums]


def random_average(b: Builder, x: Tensor) -> Op:
    b.global_average(x)
    op = b.ops[-1]
    assert isinstance(op, AveragePool2D)
    low, high = sorted(int(v) for v in b.random.integers(-128, 128, 2))
    return replace(
        op, ties_up=bool(b.random.integers(0, 2)), clamp=op.clamp if b.random.integers(0, 3) else Clamp(low, high)
    )


def random_sum(b: Builder, x: Tensor, number: int) -> Op:
    axes = Tensor(f"axes{number}", (2,), DType.INT32, None, np.array([1, 2], np.int32))
    kind = Sum if b.random.integers(0, 4) == 0 else Mean
    pixels = x.shape[1] * x.shape[2] if kind is Sum else 1
    scale, zero = float(b.random.uniform(0.03, 0.2)) * pixels, int(b.random.integers(-128, 128))
    y = Tensor(f"mean{number}", (1, x.shape[3]), DType.INT8, Quant((float(np.float32(scale)),), (zero,)))
    rounding = Rounding.SINGLE if b.random.integers(0, 4) == 0 else Rounding.DOUBLE
    return kind(number, (x, axes), (y,), (1, 2), False, rounding)


def random_layer(b: Builder, number: int) -> Op:
    rows, columns = (int(n) for n in b.random.integers(1, 17, 2))
    channels = int(b.random.choice([1, 3, 4, 5, 8, 11, 16, 31, 40, 254, 260]))
    x = b.input(1, rows, columns, channels)
    return random_average(b, x) if number % 2 else random_sum(b, x, number)


def graph_of(seed: int) -> Graph:
    b = Builder(seed)
    return side_by_side("pools", [random_layer(b, number) for number in range(LAYERS)])


@pytest.mark.sim
@everywhere
def test_assembly_equals_the_reference(board_name: str, simulator: str, distance: int) -> None:
    """In one pass, and by way of sums."""
    prove(graph_of(1), board_name, simulator, whole, distance)
    prove(graph_of(2), board_name, simulator, sums, distance)


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("wanted", KERNELS)
@pytest.mark.parametrize("seed", range(2, 6))
def test_more_assembly_equals_the_reference(seed: int, wanted: Wanted) -> None:
    prove(graph_of(seed), "stm32h743", "unicorn", wanted)


@pytest.mark.parametrize("wanted", KERNELS)
def test_most_of_these_layers_use_assembly(wanted: Wanted) -> None:
    used = [kernel for seed in (1, 2) for kernel in kernels(graph_of(seed), wanted)]
    assert used.count("te_pool_whole" if wanted is whole else "te_pool_sums") > 1.5 * LAYERS, used


@pytest.mark.parametrize("wanted", KERNELS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_c_twins_equal_the_reference(seed: int, wanted: Wanted) -> None:
    prove_twins(graph_of(seed), wanted)


@pytest.mark.sim
def test_a_large_image_is_summed_in_parts() -> None:
    """More than 256 pixels do not fit halves; inputs at the ends of the range are among those proved."""
    b = Builder()
    b.global_average(b.input(1, 40, 50, 12))
    b.global_mean(b.input(1, 1, 257, 9))
    prove(side_by_side("large", b.ops), "stm32h743", "unicorn", sums)


@pytest.mark.sim
def test_instructions_of_known_layers() -> None:
    """KERNELS.md has 0.917 for each input of 5 x 5 x 160."""
    b = Builder()
    for shape in ((1, 5, 5, 160), (1, 8, 8, 64)):
        b.global_average(b.input(*shape))
        b.global_mean(b.input(*shape))
    assert counts(side_by_side("known", b.ops), wanted=whole) == RECORDED


RECORDED = [3714, 4192, 3428, 3619]
