"""Generated assembly on random shapes and extreme weights: unicorn, and QEMU, which faults on misalignment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tecompile.graph import Graph, Quant, Tensor
from tecompile.ops.conv2d import Conv2D
from tests.tools.graphs import Builder

from .layers import PLACES, compiled, prove, prove_twins, side_by_side

LAYERS = 10


def random_layer(b: Builder, number: int) -> Conv2D:
    """Any width (leftover pixels), few and many channels, looped and unrolled, after a ReLU or linear."""
    random = b.random
    inputs = int(random.choice([4, 8, 12, 20, 48, 104, 108, 200, 400, 1028]))
    x = b.input(1, int(random.integers(1, 4)), int(random.integers(1, 10)), inputs)
    b.conv(x, 2 * int(random.integers(1, 9)))
    op = b.ops[-1]
    assert isinstance(op, Conv2D)
    signs = random.choice([-127, 127], (op.channels, 1, 1, 1)).astype(np.int8)
    extreme = np.broadcast_to(signs, op.weights.shape).copy()  # the largest sums there are
    weights = replace(op.weights, data=extreme) if number % 2 == 0 else op.weights
    source = Tensor(x.name, x.shape, x.dtype, Quant((0.05,), (int(random.choice([-128, -3, 127])),)))
    b.inputs[-1] = source
    zero = int(random.choice([-128, -128, -127, 5, 127]))
    y = Tensor(op.y.name, op.y.shape, op.y.dtype, Quant((float(random.choice([0.05, 2.0])),), (zero,)))
    return replace(op, inputs=(source, weights, op.bias), outputs=(y,))


def graph_of(seed: int) -> Graph:
    b = Builder(seed)
    return side_by_side("pointwise", [random_layer(b, number) for number in range(LAYERS)])


@pytest.mark.sim
@pytest.mark.parametrize(("board_name", "simulator"), PLACES, ids=lambda value: value)
@pytest.mark.parametrize("seed", [1, 2])
def test_assembly_equals_the_reference(board_name: str, simulator: str, seed: int) -> None:
    prove(graph_of(seed), board_name, simulator)


def test_most_of_these_layers_use_assembly() -> None:
    used = [call.kernel for call in compiled(graph_of(1), "qemu-m7")[0].calls]
    assert used.count("te_pw_x256") >= LAYERS // 3, used


@pytest.mark.parametrize("seed", range(6))
def test_the_c_twins_equal_the_reference(seed: int) -> None:
    prove_twins(graph_of(100 + seed))
