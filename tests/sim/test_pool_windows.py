"""AVERAGE_POOL_2D and MAX_POOL_2D with windows in generated assembly: borders, strides, odd channels, bounds."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.graph import Clamp, DType, Graph, Op, Padding, Quant, Tensor
from tecompile.ops.geometry import Pair
from tecompile.ops.pool2d import AveragePool2D, MaxPool2D
from tecompile.target import Candidate
from tests.tools.graphs import FULL

from .layers import SEEDS, counts, everywhere, kernels, prove, prove_twins, side_by_side

LAYERS = 14
NONE = Padding()


def windows(candidate: Candidate) -> bool:
    return candidate.kernel == "te_pool_windows"


def pool(
    number: int,
    kind: type[AveragePool2D | MaxPool2D],
    shape: tuple[int, int, int],
    kernel: Pair,
    stride: Pair,
    padding: Padding = NONE,
    clamp: Clamp = FULL,
) -> Op:
    quant = Quant((0.05,), (3,))
    rows = (shape[0] + padding.top + padding.bottom - kernel.rows) // stride.rows + 1
    columns = (shape[1] + padding.left + padding.right - kernel.columns) // stride.columns + 1
    x = Tensor(f"x{number}", (1, *shape), DType.INT8, quant)
    y = Tensor(f"y{number}", (1, rows, columns, shape[2]), DType.INT8, quant)
    return kind(number, (x,), (y,), kernel, stride, Pair(1, 1), padding, clamp)


def random_layer(random: np.random.Generator, number: int) -> Op:
    kernel, stride = (Pair(*(int(n) for n in random.integers(1, top, 2))) for top in (6, 4))
    borders = [int(random.integers(0, n)) if random.integers(0, 2) else 0 for n in (*kernel, *kernel)]
    padding = Padding(borders[0], borders[2], borders[1], borders[3])
    rows, columns = (int(n) + int(random.integers(0, 8)) for n in kernel)
    low, high = sorted(int(v) for v in random.integers(-128, 128, 2))
    clamp = FULL if random.integers(0, 3) else Clamp(low, high)
    channels = int(random.choice([4, 5, 6, 7, 8, 17, 32]))
    kind = AveragePool2D if number % 2 else MaxPool2D
    return pool(number, kind, (rows, columns, channels), kernel, stride, padding, clamp)


def graph_of(seed: int) -> Graph:
    random = np.random.default_rng(seed)
    return side_by_side("windows", [random_layer(random, number) for number in range(LAYERS)])


@pytest.mark.sim
@everywhere
def test_assembly_equals_the_reference(board_name: str, simulator: str, distance: int) -> None:
    prove(graph_of(1), board_name, simulator, windows, distance)


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_more_assembly_equals_the_reference(seed: int) -> None:
    prove(graph_of(seed), "stm32h743", "unicorn", windows)


def test_most_of_these_layers_use_assembly() -> None:
    used = [kernel for seed in (1, 2) for kernel in kernels(graph_of(seed), windows)]
    assert used.count("te_pool_windows") > LAYERS, used


@pytest.mark.parametrize("seed", SEEDS)
def test_the_c_twins_equal_the_reference(seed: int) -> None:
    prove_twins(graph_of(seed), windows)


@pytest.mark.sim
def test_instructions_of_known_layers() -> None:
    """The portable kernels: 30,152, 107,075, 28,346."""
    two, three = Pair(2, 2), Pair(3, 3)
    ops = [
        pool(0, MaxPool2D, (16, 16, 16), two, two),
        pool(1, MaxPool2D, (16, 16, 32), three, two, Padding(0, 1, 0, 1)),
        pool(2, AveragePool2D, (16, 16, 16), two, two),
    ]
    assert counts(side_by_side("known", ops), wanted=windows) == RECORDED


RECORDED = [4467, 24716, 7841]
