"""Assembly for int16 activations: random layers and extremes, rings, and instructions counted."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import pytest

from tecompile.backends import backend_chain
from tecompile.backends.armv7em import gemm, wide_fc, wide_pointwise, wide_window
from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.backend import Chain, lower_program
from tecompile.backends.native import NativeTarget
from tecompile.board import load_board
from tecompile.graph import Clamp, DType, Graph, Op, Quant, Rounding, Tensor
from tecompile.interpret import interpret, random_inputs
from tecompile.ops.conv2d import Conv2D
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.fully_connected import FullyConnected
from tecompile.ops.scaled import ScaledOp
from tecompile.render.model import ModelInfo, render_model
from tecompile.render.project import render_project
from tecompile.simulate.prove import Inputs, prove_firmware, prove_on_host
from tecompile.target import Candidate
from tests.host.test_rings import ring_plans
from tests.tools.graphs import Builder

from . import layers
from .layers import (
    SEEDS,
    compiled,
    counts,
    everywhere,
    kernels,
    one_of_all,
    prove,
    prove_twins,
    random_weights,
    side_by_side,
    twice,
)

LAYERS = 12
FULL = Clamp(-32768, 32767)
RELU, BOUNDED, LINE = Clamp(0, 32767), Clamp(0, 30000), Clamp(-5000, 20)
SUMMED = 516  # inputs with weights ±127: one more, and 32 bits may not suffice
ROOM = (1 << 31) - 1 - SUMMED * 127 * 32768  # what is left for the bias

S = TypeVar("S", bound=ScaledOp)


@pytest.fixture(autouse=True)
def _ends_of_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "inputs_of", inputs_of)


def inputs_of(graph: Graph) -> Inputs:
    frames = [random_inputs(graph, seed) for seed in (1, 2)]
    frames += [[np.full(t.shape, end, np.int16) for t in graph.inputs] for end in (-32768, 32767)]
    return Inputs(frames, [interpret(graph, frame) for frame in frames])


def is_wide(candidate: Candidate) -> bool:
    return candidate.kernel.startswith("te_wide_")


# --- layers -------------------------------------------------------------------------------------------------------


def pointwise(b: Builder) -> Op:
    """Any width (leftover pixels), any stride, odd and even channels."""
    random = b.random
    depth = int(random.choice([1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 106, 250]))
    x = b.input(1, int(random.integers(1, 4)), int(random.integers(1, 12)), depth)
    b.conv(x, int(random.integers(1, 18)), 1, int(random.choice([1, 1, 1, 2])))
    return b.ops[-1]


def window(b: Builder) -> Op:
    """Kernels smaller and larger than the image; some dilated; borders on no side or on all."""
    random = b.random
    kernel, hole, same = int(random.choice([2, 3, 3, 5])), int(random.choice([1, 1, 1, 2])), bool(random.integers(0, 3))
    least = 1 if same else (kernel - 1) * hole + 1
    rows, columns = (least + int(n) for n in random.integers(0, 12, 2))
    x = b.input(1, rows, columns, int(random.choice([1, 2, 3, 5, 8, 17])))
    b.conv(x, int(random.choice([1, 2, 3, 8, 15])), kernel, int(random.choice([1, 1, 2, 3])), same, hole=hole)
    return b.ops[-1]


def depthwise(b: Builder) -> Op:
    random = b.random
    kernel, hole, same = int(random.choice([2, 3, 3, 4, 5, 7])), int(random.choice([1, 1, 1, 2])), random.integers(0, 3)
    least = 1 if same else (kernel - 1) * hole + 1
    rows, columns = (least + int(n) for n in random.integers(0, 14, 2))
    x = b.input(1, rows, columns, int(random.choice([2, 3, 4, 5, 8, 17])))
    b.dw(x, kernel, int(random.choice([1, 1, 2, 3])), bool(same), hole=hole)
    return b.ops[-1]


def dense(b: Builder) -> Op:
    random = b.random
    depth = int(random.choice([1, 2, 3, 4, 7, 12, 16, 31, 33, 50, 64, 117, 300]))
    return fully_connected(b, depth, int(random.integers(1, 24)), int(random.choice([1, 1, 2, 3, 6])))


def fully_connected(b: Builder, depth: int, outputs: int, rows: int = 1) -> FullyConnected:
    x, y = b.input(rows, depth), b.tensor(rows, outputs)
    b.conv(b.tensor(1, 1, 1, depth), outputs)
    conv = b.ops.pop()
    assert isinstance(conv, Conv2D)
    data = conv.weight_values().reshape(outputs, depth)
    weights = replace(conv.weights, shape=data.shape, data=data)
    op = FullyConnected(len(b.ops), (x, weights, conv.bias), (y,), FULL, Rounding.DOUBLE, "DEFAULT")
    b.ops.append(op)
    return op


KINDS: Sequence[Callable[[Builder], Op]] = (pointwise, window, depthwise, dense)


def hardened(b: Builder, op: S) -> S:
    """The largest sums there are; all kinds of scales (negative ones, too), biases and bounds."""
    random = b.random
    weights, y = op.weights, op.y
    quant = weights.quant
    assert quant is not None
    scales = np.array(quant.scales) * random.choice([1, 1, 1, 1, -1], op.channels)
    if random.integers(0, 3) == 0:
        scales *= 4.0 ** random.integers(0, 4, op.channels)
    made = Quant(tuple(float(np.float32(s)) for s in scales), quant.zero_points, quant.axis)
    data = random_weights(random, weights.shape)
    scale = float(random.choice([0.0002, 0.002, 0.05]))
    return replace(
        op,
        inputs=(op.x, replace(weights, data=data, quant=made), *biases(random, op)),
        outputs=(replace(y, quant=Quant((scale,), (0,))),),
        clamp=[FULL, FULL, RELU, BOUNDED, LINE][int(random.integers(0, 5))],
        rounding=Rounding.SINGLE if random.integers(0, 4) == 0 else Rounding.DOUBLE,
    )


def biases(random: np.random.Generator, op: ScaledOp) -> tuple[Tensor, ...]:
    """Of 64 bits or none; or 32 bits, which make accumulators narrow, where an operator may have them."""
    kinds = [None, DType.INT64, DType.INT64, DType.INT32]
    kind = kinds[int(random.integers(0, 3 if isinstance(op, DepthwiseConv2D) else 4))]
    if kind is None:
        return ()
    data = random.integers(-(1 << 22), 1 << 22, op.channels).astype(kind.numpy)
    return (Tensor(f"bias{op.index}", (op.channels,), kind, None, data),)


def graph_of(seed: int) -> Graph:
    b = Builder(seed, DType.INT16)
    for number in range(LAYERS):
        op = KINDS[number % len(KINDS)](b)
        assert isinstance(op, ScaledOp)
        b.ops[-1] = hardened(b, op)
    return side_by_side("wide", b.ops)


def unusual() -> Graph:
    """Pixels beyond the offsets of loads and stores, long segments, many of them, one pixel, one channel."""
    b = Builder(5, DType.INT16)
    for size, outputs in [((2, 5, 6), 1401), ((1, 6, 1030), 3), ((3, 3, 1), 1), ((1, 1, 40), 7)]:
        b.conv(b.input(1, *size), outputs)
    for size, kernel, stride in [((2, 9, 1100), 2, 2), ((9, 9, 61), 3, 1), ((14, 9, 3), 12, 1), ((4, 30, 3), 3, 1)]:
        b.conv(b.input(1, *size), 3, kernel, stride)
    for size, kernel, stride in [((7, 9, 400), 7, 1), ((4, 9, 1201), 3, 1), ((5, 14, 301), 4, 3), ((1, 9, 2), 3, 2)]:
        b.dw(b.input(1, *size), kernel, stride)
    for number, op in enumerate(b.ops):
        assert isinstance(op, ScaledOp)
        data = b.random.integers(-9, 10, op.weights.shape).astype(np.int8)  # so that sums fit
        b.ops[number] = replace(op, inputs=(op.x, replace(op.weights, data=data), *op.inputs[2:]))
    return side_by_side("unusual", b.ops)


@pytest.fixture
def _all_packings(monkeypatch: pytest.MonkeyPatch) -> None:
    """And both ways to expand windows, however few there are."""
    monkeypatch.setattr(wide_pointwise, "wide_gemms", one_of_all(gemm.proved_wide_gemms))
    monkeypatch.setattr(wide_window, "wide_gemms", one_of_all(gemm.proved_wide_gemms))


@pytest.mark.sim
@pytest.mark.usefixtures("_all_packings")
@everywhere
def test_assembly_equals_the_reference(board_name: str, simulator: str, distance: int) -> None:
    prove(graph_of(1), board_name, simulator, is_wide, distance)


@pytest.mark.sim
@twice
def test_unusual_layers_equal_the_reference(board_name: str, simulator: str, distance: int) -> None:
    prove(unusual(), board_name, simulator, is_wide, distance)


def test_the_c_twins_of_unusual_layers_equal_the_reference() -> None:
    prove_twins(unusual(), is_wide)
    assert {call.kernel for call in compiled(unusual(), "qemu-m7", is_wide)[0].calls} == {
        "te_wide_pointwise",
        "te_wide_fc",
        "te_wide_conv",
        "te_wide_depthwise",
    }


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.usefixtures("_all_packings")
@pytest.mark.parametrize("seed", range(10, 18))
def test_more_assembly_equals_the_reference(seed: int) -> None:
    prove(graph_of(seed), "stm32h743", "unicorn", is_wide)


@pytest.mark.usefixtures("_all_packings")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_c_twins_equal_the_reference(seed: int) -> None:
    prove_twins(graph_of(seed), is_wide)


@pytest.mark.usefixtures("_all_packings")
def test_most_of_these_layers_use_assembly() -> None:
    used = [kernel for seed in (1, 2) for kernel in kernels(graph_of(seed), is_wide)]
    assert sum(kernel.startswith("te_wide_") for kernel in used) >= len(used) * 3 // 4, used


# --- how far 32 bits reach ----------------------------------------------------------------------------------------


def largest(number: int, sign: int, bias: int) -> FullyConnected:
    """The sums of every channel, up to what 32 bits hold, or beyond."""
    op = fully_connected(Builder(number, DType.INT16), SUMMED, 3)
    data = np.full((3, SUMMED), 127 * sign, np.int8)
    values = Tensor(f"b{number}", (3,), DType.INT64, None, np.array([bias, -bias, 0]))
    x, y = replace(op.x, name=f"x{number}"), replace(op.y, name=f"y{number}")
    return replace(op, index=number, inputs=(x, replace(op.weights, data=data), values), outputs=(y,))


@pytest.mark.sim
@twice
def test_sums_of_32_bits(board_name: str, simulator: str, distance: int) -> None:
    ops = [largest(0, 1, ROOM), largest(1, -1, ROOM), largest(2, 1, -ROOM)]
    prove(side_by_side("largest", ops), board_name, simulator, is_wide, distance)


def test_sums_of_more_bits_are_left_to_c() -> None:
    assert wide_fc.candidates(largest(0, 1, ROOM))
    assert not wide_fc.candidates(largest(0, 1, ROOM + 1))
    assert not wide_fc.candidates(largest(0, -1, -ROOM - 1))


# --- rings --------------------------------------------------------------------------------------------------------


def ringed() -> Graph:
    b = Builder(3, DType.INT16)
    x = b.conv(b.input(1, 9, 6, 3), 4, 3)
    x = b.dw(b.conv(b.dw(x, 3), 6), 3, 2)
    return b.graph(b.conv(b.dw(b.conv(x, 5, 2, 1), 3), 3, 1, 1))


@pytest.mark.sim
@pytest.mark.parametrize(
    ("board_name", "simulator", "some"),
    [("stm32h743", "unicorn", slice(0, None, 4)), ("qemu-m4", "qemu", slice(2, None, 4))],
)
def test_rings_that_wrap_anywhere(board_name: str, simulator: str, some: slice) -> None:
    """Whole rows, parts of rows, upwards and downwards: lines that are cut, outputs that are."""
    graph, board = ringed(), load_board(board_name)
    target = backend_chain("native", board.core)
    for plan in ring_plans(graph, np.random.default_rng(3), target, some):
        plan = replace(plan, regions=(replace(plan.regions[0], memory=board.arena[0]),))
        program = lower_program(graph.name, plan, target.backends)
        assert all(call.kernel.startswith("te_wide_") for call in program.calls)
        project = render_project("make", [program], board, render_model(program, ModelInfo("x", "0" * 64, (b"",))))
        assert prove_firmware(program, board, project, simulator, inputs_of(graph)).verification.bit_exact


def test_rings_of_the_twins() -> None:
    graph, target = ringed(), Chain((Armv7emBackend(), NativeTarget()))
    for plan in ring_plans(graph, np.random.default_rng(4), target, slice(1, None, 4)):
        program = lower_program(graph.name, plan, target.backends)
        files = render_model(program, ModelInfo("x", "0" * 64, (b"",)))
        assert prove_on_host(program, files, inputs_of(graph), poison=True).verification.bit_exact


# --- counted ------------------------------------------------------------------------------------------------------


def convolution(size: int, depth: int, outputs: int, kernel: int = 1, stride: int = 1) -> Op:
    b = Builder(depth, DType.INT16)
    b.conv(b.input(1, size, size, depth), outputs, kernel, stride)
    return b.ops[-1]


def depthwise_layer(size: int, channels: int, kernel: int, stride: int) -> Op:
    b = Builder(channels, DType.INT16)
    b.dw(b.input(1, size, size, channels), kernel, stride)
    return b.ops[-1]


def counted(ops: Sequence[Op], packing: str) -> list[int]:
    """With this packing, where there is a choice."""
    return counts(side_by_side("known", ops), wanted=lambda c: is_wide(c) and c.spec.get("packing", packing) == packing)


def guessed(ops: Sequence[Op], packing: str) -> list[int]:
    offered = [[c for c in Armv7emBackend().candidates(op) if is_wide(c)] for op in ops]
    return [min(c.instructions for c in cs if c.spec.get("packing", packing) == packing) for cs in offered]


CONVOLUTIONS = {
    (20, 48, 16): (294407, 256007),
    (20, 16, 96): (654907, 578107),
    (10, 96, 40): (338809, 290809),
    (5, 64, 33): (55360, 48193),
    (20, 16, 32, 3): (1620580, 1390180),
    (40, 3, 16, 3, 2): (200766, 176766),
}


@pytest.mark.sim
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="another compiler counts otherwise")
def test_instructions_of_known_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Per product .958 1.066 .882 1.048 .879 1.162 with weights in bytes, .833 .941 .757 .913 .754 1.023 in halves;
    portable kernels take 3 and more."""
    for family in (wide_pointwise, wide_window):
        monkeypatch.setattr(family, "wide_gemms", gemm.proved_wide_gemms)
    ops = [convolution(*shape) for shape in CONVOLUTIONS]
    found = [counted(ops, packing) for packing in ("i8", "i16")]
    for packing, measured in zip(("i8", "i16"), found, strict=True):
        np.testing.assert_allclose(guessed(ops, packing), measured, rtol=0.03)
    assert list(zip(*found, strict=True)) == list(CONVOLUTIONS.values())


DEPTHWISE = {
    (20, 96, 3, 1): 613193,
    (20, 96, 5, 1): 1401454,
    (20, 96, 3, 2): 169302,
    (20, 96, 5, 2): 392800,
    (10, 33, 7, 1): 258312,
}
DENSE = {(640, 12): 8836, (256, 256): 76057, (33, 5, 3): 742, (64, 10, 2): 1630, (64, 64, 8): 32394}


@pytest.mark.sim
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="another compiler counts otherwise")
def test_instructions_of_other_known_layers() -> None:
    """Per product 1.774 1.460 1.960 1.637 1.597; 1.151 1.161 1.499 1.273 .989, the last as four rows at a time."""
    ops = [depthwise_layer(*shape) for shape in DEPTHWISE]
    ops += [fully_connected(Builder(sum(shape), DType.INT16), *shape) for shape in DENSE]
    measured = counted(ops, "i8")
    np.testing.assert_allclose(guessed(ops, "i8"), measured, rtol=0.03)
    assert measured == [*DEPTHWISE.values(), *DENSE.values()]
