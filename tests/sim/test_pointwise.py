"""Generated assembly on random shapes and extreme weights: unicorn, and QEMU, which faults on misalignment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tecompile.backends import backend_chain
from tecompile.backends.backend import lower_program
from tecompile.backends.program import Program
from tecompile.board import load_board
from tecompile.graph import Graph, Quant, Tensor
from tecompile.interpret import interpret, random_inputs
from tecompile.ops.conv2d import Conv2D
from tecompile.planner.planner import Place, make_plan
from tecompile.render.model import ModelInfo, render_model
from tecompile.render.project import render_project
from tecompile.simulate.prove import Inputs, prove_firmware, prove_on_host
from tecompile.simulate.simulators import why_not
from tecompile.simulate.toolchain import toolchains
from tests.tools.graphs import Builder

LAYERS = 10
PLACES = [("stm32h743", "unicorn"), ("qemu-m4", "qemu"), ("qemu-m7", "qemu"), ("qemu-m33", "qemu")]


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
    """One layer for each input, independent of each other: many shapes in one firmware."""
    b = Builder(seed)
    ops = tuple(random_layer(b, number) for number in range(LAYERS))
    return Graph("pointwise", ops, tuple(op.x for op in ops), tuple(op.y for op in ops))


def compiled(graph: Graph, board_name: str) -> tuple[Program, dict[str, str]]:
    board = load_board(board_name)
    chain = backend_chain("native", board.core)
    program = lower_program(graph.name, make_plan(graph, chain, Place(board.arena[0])), chain.backends)
    used = [call.kernel for call in program.calls]
    assert used.count("te_pw_x256") >= LAYERS // 3, used
    return program, render_model(program, ModelInfo("none.tflite", "0" * 64, (b"",)))


def inputs_of(graph: Graph) -> Inputs:
    frames = [random_inputs(graph, seed) for seed in (1, 2)]
    lowest = [np.full(t.shape, -128, np.int8) for t in graph.inputs]
    highest = [np.full(t.shape, 127, np.int8) for t in graph.inputs]
    frames += [lowest, highest]
    return Inputs(frames, [interpret(graph, frame) for frame in frames])


@pytest.mark.sim
@pytest.mark.parametrize(("board_name", "simulator"), PLACES, ids=lambda value: value)
@pytest.mark.parametrize("seed", [1, 2])
def test_assembly_equals_the_reference(board_name: str, simulator: str, seed: int) -> None:
    board = load_board(board_name)
    if why_not(simulator, board) or not any(toolchains(board)):
        pytest.skip(f"no compiler or simulator for {board_name}")
    graph = graph_of(seed)
    program, files = compiled(graph, board_name)
    project = render_project("make", [program], board, files)
    proof = prove_firmware(program, board, project, simulator, inputs_of(graph), poison=True)
    assert proof.verification.first is None, str(proof.verification.first)
    assert proof.verification.bit_exact


@pytest.mark.parametrize("seed", range(6))
def test_the_c_twins_equal_the_reference(seed: int) -> None:
    graph = graph_of(100 + seed)
    program, files = compiled(graph, "qemu-m7")
    proof = prove_on_host(program, files, inputs_of(graph), poison=True)
    assert proof.verification.first is None, str(proof.verification.first)
    assert proof.verification.bit_exact
