"""Pointwise kernels on random shapes and extreme weights: unicorn, and QEMU, which faults on misalignment."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tecompile.backends.armv7em import gemm, pointwise
from tecompile.backends.armv7em.backend import FLASH_PRICES
from tecompile.backends.armv7em.gemm_block import Packing
from tecompile.graph import Clamp, Graph, Quant, Rounding, Tensor
from tecompile.ops.conv2d import Conv2D
from tecompile.target import Candidate
from tests.tools.graphs import FULL, Builder

from .layers import SEEDS, counts, everywhere, kernels, one_of_all, prove, prove_twins, random_weights, side_by_side

RELU, LINEAR = -128, 3  # zero points of outputs
LAYERS = 14
DEPTHS = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 20, 27, 48, 104, 106, 108, 200]
LARGE = [(1030, 5), (1400, 3), (6, 1401), (3, 2090)]  # inputs and outputs beyond the offsets of LDR and STRB


@pytest.fixture
def _all_packings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pointwise, "packed_gemms", one_of_all(gemm.proved_gemms))


def assembly(candidate: Candidate) -> bool:
    return candidate.kernel == "te_gemm_pointwise"


def random_layer(b: Builder, depth: int, outputs: int) -> Conv2D:
    """Any width (leftover pixels), any stride, after a ReLU or linear, negative scales, factors above 1."""
    random = b.random
    stride = int(random.choice([1, 1, 1, 2]))
    x = b.input(1, int(random.integers(1, 4)), int(random.integers(1, 12)), depth)
    b.conv(x, outputs, 1, stride)
    op = b.ops[-1]
    assert isinstance(op, Conv2D)
    data = random_weights(random, op.weights.shape)
    scales = random.uniform(0.001, 0.01, outputs) * random.choice([1, 1, 1, 1, 1, 1, -1], outputs)
    if random.integers(0, 3) == 0:
        scales *= 4.0 ** random.integers(0, 4, outputs)
    quant = Quant(tuple(float(np.float32(s)) for s in scales), (0,) * outputs, 0)
    source = Tensor(x.name, x.shape, x.dtype, Quant((0.05,), (int(random.choice([-128, -3, 127])),)))
    b.inputs[-1] = source
    zero = int(random.choice([-128, -128, -127, 5, 127]))
    scale = float(random.choice([0.002, 0.05, 2.0, 60.0]))
    y = Tensor(op.y.name, op.y.shape, op.y.dtype, Quant((scale,), (zero,)))
    low, high = sorted(int(v) for v in random.integers(-128, 128, 2))
    return replace(
        op,
        inputs=(source, replace(op.weights, data=data, quant=quant), op.bias),
        outputs=(y,),
        clamp=FULL if random.integers(0, 3) else Clamp(low, high),
        rounding=Rounding.SINGLE if random.integers(0, 4) == 0 else Rounding.DOUBLE,
    )


def graph_of(seed: int) -> Graph:
    b = Builder(seed)
    shapes = [(int(b.random.choice(DEPTHS)), int(b.random.integers(1, 18))) for _ in range(LAYERS)]
    shapes.append(LARGE[seed % len(LARGE)])
    layers = [random_layer(b, *shape) for shape in shapes]
    return side_by_side("pointwise", [*layers, *(alike(random_layer(b, 24, 9)) for _ in range(2))])


def alike(op: Conv2D) -> Conv2D:
    """Linear, and all channels are requantised alike: twice, with a shift that they share."""
    y = replace(op.y, quant=Quant((0.05,), (3,)))
    weights = replace(op.weights, quant=Quant((0.004,), (0,)))
    return replace(op, inputs=(op.x, weights, op.bias), outputs=(y,), clamp=FULL, rounding=Rounding.DOUBLE)


@pytest.mark.sim
@pytest.mark.usefixtures("_all_packings")
@everywhere
def test_assembly_equals_the_reference(board_name: str, simulator: str, distance: int) -> None:
    prove(graph_of(1), board_name, simulator, assembly, distance)


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.usefixtures("_all_packings")
@pytest.mark.parametrize("seed", range(10, 18))
def test_more_assembly_equals_the_reference(seed: int) -> None:
    prove(graph_of(seed), "stm32h743", "unicorn", assembly)


@pytest.mark.usefixtures("_all_packings")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_c_twins_equal_the_reference(seed: int) -> None:
    prove_twins(graph_of(seed), assembly)


@pytest.mark.usefixtures("_all_packings")
def test_nearly_all_of_these_layers_use_assembly() -> None:
    used = [kernel for seed in (1, 2) for kernel in kernels(graph_of(seed), assembly)]
    assert used.count("te_gemm_pointwise") >= len(used) - 2, used


def at_the_limit(b: Builder, weight: int, most: int, zero: int) -> Conv2D:
    """The largest accumulator, at an input of 127 or -128, is `most`."""
    x = b.input(1, 1, 6, 400)
    b.conv(x, 3)
    op = b.ops[-1]
    assert isinstance(op, Conv2D) and op.bias is not None
    furthest = max((end - x.zero_point) * weight for end in (127, -128))
    bias = replace(op.bias, data=np.full(3, most - 400 * furthest, np.int32))
    weights = replace(op.weights, data=np.full(op.weights.shape, weight, np.int8))
    y = Tensor(op.y.name, op.y.shape, op.y.dtype, Quant((0.05 * 0.005 * most / 100,), (zero,)))
    return replace(op, inputs=(x, weights, bias), outputs=(y,))


@pytest.mark.sim
@pytest.mark.usefixtures("_all_packings")
def test_the_largest_accumulators() -> None:
    """Of x256, 2^23 - 1: beyond that the others take over."""
    b, limit = Builder(7), 1 << 23
    cases = [*product((127, -127, -128), (limit - 1, limit, 1 << 29), (RELU, LINEAR))]
    ops = [at_the_limit(b, *case) for case in cases]
    for op, (weight, most, _) in zip(ops, cases, strict=True):
        proved = gemm.proved_gemms(op, op.weight_values().reshape(3, 400), FLASH_PRICES[0])
        x256 = [Packing.X256] if most < limit and weight > -128 else []
        assert [Packing(one.spec) for one in proved] == [*x256, Packing.I16, Packing.I8]
    prove(side_by_side("limits", ops), "stm32h743", "unicorn", assembly)


def linear_or_relu(rows: int, depth: int, outputs: int, zero: int) -> Conv2D:
    b = Builder(depth)
    b.conv(b.input(1, rows, rows, depth), outputs)
    op = b.ops[-1]
    assert isinstance(op, Conv2D)
    y = Tensor(op.y.name, op.y.shape, op.y.dtype, Quant((0.05,), (zero,)))
    return replace(op, outputs=(y,))


KNOWN = {  # with packing x256, and with i16
    (20, 48, 16, LINEAR): (285208, 269008),
    (20, 16, 96, RELU): (598809, 579409),
    (10, 96, 40, LINEAR): (317685, 301635),
    (5, 240, 96, LINEAR): (453970, 431396),
    (40, 8, 48, RELU): (761607, 741607),
    (10, 24, 144, RELU): (307010, 296160),
    (10, 40, 240, RELU): (787210, 757161),
    (5, 96, 480, RELU): (907166, 866832),
    (3, 480, 96, LINEAR): (335410, 317260),
}


@pytest.mark.sim
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="another compiler counts otherwise")
def test_instructions_of_known_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Per product .928 .876, .975 .943, .827 .786, .788 .749, 1.240 1.207, .888 .857, .820 .789, .787 .752,
    .809 .765; the estimates are right within a percent."""
    found = []
    for place in (0, 1):
        ops = [linear_or_relu(*shape) for shape in KNOWN]
        monkeypatch.setattr(pointwise, "packed_gemms", lambda *args, at=place: gemm.proved_gemms(*args)[at:][:1])
        found.append(counts(side_by_side("known", ops), wanted=assembly))
        guesses = [pointwise.LOWERING.candidates(op, FLASH_PRICES[0])[0].instructions for op in ops]
        np.testing.assert_allclose(guesses, found[-1], rtol=0.01)
    assert list(zip(*found, strict=True)) == list(KNOWN.values())
