"""FULLY_CONNECTED and convolutions of a single pixel: any depth, any number of outputs, extremes of everything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from tecompile.graph import Clamp, DType, Graph, Op, Quant, Rounding, Tensor
from tecompile.ops.fully_connected import FullyConnected
from tecompile.target import Candidate
from tests.tools.graphs import FULL, Builder

from .layers import SEEDS, counts, everywhere, kernels, prove, prove_twins, random_weights, side_by_side

LAYERS = 12
DEPTHS = [1, 2, 3, 4, 7, 12, 16, 31, 33, 48, 50, 52, 64, 81, 200, 517]


@dataclass(frozen=True)
class Kind:
    """What a layer is drawn from."""

    depth: int
    outputs: int
    rows: int = 1
    scale: float = 0.05
    zero: int = 3
    clamp: Clamp = FULL
    rounding: Rounding = Rounding.DOUBLE
    alike: bool = False  # one scale for all outputs


def layer(number: int, kind: Kind, weights: np.ndarray, random: np.random.Generator) -> FullyConnected:
    name = f"fc{number}"
    x = Tensor(f"{name}_x", (kind.rows, kind.depth), DType.INT8, Quant((0.05,), (int(random.choice([-128, -3, 127])),)))
    scales = tuple(float(np.float32(s)) for s in random.uniform(0.001, 0.01, kind.outputs))
    quant = Quant(scales[:1], (0,)) if kind.alike else Quant(scales, (0,) * kind.outputs, 0)
    table = Tensor(f"{name}_w", weights.shape, DType.INT8, quant, weights)
    bias = random.integers(-30000, 30000, kind.outputs).astype(np.int32)
    biases = Tensor(f"{name}_b", bias.shape, DType.INT32, None, bias)
    y = Tensor(f"{name}_y", (kind.rows, kind.outputs), DType.INT8, Quant((kind.scale,), (kind.zero,)))
    return FullyConnected(number, (x, table, biases), (y,), kind.clamp, kind.rounding, "DEFAULT")


def random_kind(random: np.random.Generator) -> Kind:
    zero = int(random.choice([-128, -128, -127, 5, 127]))
    low, high = sorted(int(v) for v in random.integers(-128, 128, 2))
    return Kind(
        depth=int(random.choice(DEPTHS)),
        outputs=int(random.integers(1, 24)),
        rows=int(random.choice([1, 1, 2, 3])),
        scale=float(random.choice([0.002, 0.05, 2.0, 30.0])),
        zero=zero,
        clamp=FULL if random.integers(0, 3) else Clamp(low, high),
        rounding=Rounding.SINGLE if random.integers(0, 4) == 0 else Rounding.DOUBLE,
        alike=bool(random.integers(0, 2)),
    )


def random_layer(b: Builder, number: int) -> Op:
    if number % 4 == 0:
        b.conv(b.input(1, 1, 1, int(b.random.choice(DEPTHS))), int(b.random.integers(1, 20)))
        return b.ops[-1]
    kind = random_kind(b.random)
    return layer(number, kind, random_weights(b.random, (kind.outputs, kind.depth)), b.random)


def graph_of(seed: int) -> Graph:
    b = Builder(seed)
    return side_by_side("dense", [random_layer(b, number) for number in range(LAYERS)])


def blocks(candidate: Candidate) -> bool:
    return candidate.kernel == "te_fc_blocks"


@pytest.mark.sim
@everywhere
def test_assembly_equals_the_reference(board_name: str, simulator: str, distance: int) -> None:
    prove(graph_of(1), board_name, simulator, blocks, distance)


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_more_assembly_equals_the_reference(seed: int) -> None:
    prove(graph_of(seed), "stm32h743", "unicorn", blocks)


def test_nearly_all_of_these_layers_use_assembly() -> None:
    used = [kernel for seed in (1, 2) for kernel in kernels(graph_of(seed), blocks)]
    assert used.count("te_fc_blocks") >= len(used) - 3, used


@pytest.mark.parametrize("seed", SEEDS)
def test_the_c_twins_equal_the_reference(seed: int) -> None:
    prove_twins(graph_of(seed), blocks)


@pytest.mark.sim
def test_instructions_of_known_layers() -> None:
    """KERNELS.md has 1.048 for 640 -> 12 and 0.972 for 256 -> 256 after a ReLU, per product."""
    random = np.random.default_rng(5)
    kinds = [Kind(640, 12), Kind(256, 256, zero=-128), Kind(128, 128, zero=-128), Kind(33, 5), Kind(64, 10, rows=3)]
    kinds += [Kind(640, 12, alike=True), Kind(256, 256, zero=-128, alike=True)]
    layers = [
        layer(i, kind, random.integers(-127, 128, (kind.outputs, kind.depth)).astype(np.int8), random)
        for i, kind in enumerate(kinds)
    ]
    assert counts(side_by_side("known", layers), wanted=blocks) == RECORDED


RECORDED = [7563, 58572, 15042, 246, 2173, 7541, 58519]
