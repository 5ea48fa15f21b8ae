"""ADD, SUB and MUL of bytes in generated assembly: all ways to repeat, scales, bounds, lengths and addresses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tecompile.graph import Clamp, DType, Graph, Op, Quant, Rounding, Tensor
from tecompile.ops.add import Add, Sub
from tecompile.ops.mul import Mul
from tecompile.target import Candidate
from tests.tools.graphs import FULL, Builder

from .layers import SEEDS, counts, everywhere, kernels, prove, prove_twins, side_by_side

LAYERS = 16


def word_by_word(candidate: Candidate) -> bool:
    return candidate.kernel.startswith("te_pair_words")


def random_quant(random: np.random.Generator, low: float, high: float) -> Quant:
    scale = float(np.float32(random.uniform(low, high)))
    return Quant((scale,), (int(random.choice([-128, -100, -3, 0, 9, 127])),))


def random_shapes(random: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of a and b: alike, or one with a single row, column, channel."""
    full = (1, *(int(n) for n in random.integers(1, (4, 6, 20))))
    narrow = tuple(1 if random.integers(0, 2) else n for n in full)
    kind = random.integers(0, 3)
    return (full, full) if kind == 0 else (full, narrow) if kind == 1 else (narrow, full)


def random_layer(random: np.random.Generator, number: int) -> Op:
    shapes = random_shapes(random)
    tensors = [
        Tensor(f"t{number}_{i}", shape, DType.INT8, random_quant(random, 0.01, 0.1)) for i, shape in enumerate(shapes)
    ]
    if random.integers(0, 3) == 0:
        which = int(random.integers(0, 2))
        values = random.integers(-128, 128, shapes[which]).astype(np.int8)
        tensors[which] = replace(tensors[which], data=values)
    low, high = sorted(int(v) for v in random.integers(-128, 128, 2))
    clamp = FULL if random.integers(0, 3) else Clamp(low, high)
    kind = (Add, Sub, Mul)[random.integers(0, 3)]
    scales = (0.001, 0.02) if kind is Mul else (0.05, 0.3)
    y = Tensor(f"y{number}", np.broadcast_shapes(*shapes), DType.INT8, random_quant(random, *scales))
    return kind(number, tuple(tensors), (y,), clamp, Rounding.DOUBLE)


def graph_of(seed: int) -> Graph:
    random = np.random.default_rng(seed)
    return side_by_side("pairs", [random_layer(random, number) for number in range(LAYERS)])


@pytest.mark.sim
@everywhere
def test_assembly_equals_the_reference(board_name: str, simulator: str, distance: int) -> None:
    prove(graph_of(1), board_name, simulator, word_by_word, distance)


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_more_assembly_equals_the_reference(seed: int) -> None:
    prove(graph_of(seed), "stm32h743", "unicorn", word_by_word)


def test_most_of_these_layers_use_assembly() -> None:
    used = [kernel for seed in (1, 2) for kernel in kernels(graph_of(seed), word_by_word)]
    for kernel in ("te_pair_words", "te_pair_words_constant", "te_pair_words_image"):
        assert used.count(kernel) > LAYERS // 8, used


@pytest.mark.parametrize("seed", SEEDS)
def test_the_c_twins_equal_the_reference(seed: int) -> None:
    prove_twins(graph_of(seed), word_by_word)


def ends() -> Graph:
    """Every number of bytes behind the last word and the last turn, at every address."""
    b = Builder()
    for channels in range(1, 18):
        b.add(b.input(1, 2, 3, channels), b.input(1, 2, 3, channels))
        b.mul(b.input(1, 2, 3, channels), b.input(1, 1, 1, channels))
    return side_by_side("ends", b.ops)


@pytest.mark.sim
@pytest.mark.slow
def test_every_end() -> None:
    prove(ends(), "stm32h743", "unicorn", word_by_word)


@pytest.mark.sim
def test_instructions_of_known_layers() -> None:
    """KERNELS.md has 6.13 to 7.13 for each value of ADD."""
    b = Builder()
    shape = (1, 20, 20, 16)
    b.add(b.input(*shape), b.input(*shape))
    b.mul(b.input(*shape), b.input(*shape))
    b.mul(b.input(*shape), b.input(1, 1, 1, 16))
    b.mul(b.input(*shape), b.input(1, 20, 20, 1))
    assert counts(side_by_side("known", b.ops), wanted=word_by_word) == RECORDED


RECORDED = [36822, 46423, 48822, 48531]
