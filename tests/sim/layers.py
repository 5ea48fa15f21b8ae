"""Single operators with chosen kernels in one firmware: proved against the interpreter, counted in unicorn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tecompile.backends import backend_chain
from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.armv7em.cores import Order
from tecompile.backends.armv7em.gemm import Gemm
from tecompile.backends.backend import Chain, lower_program
from tecompile.backends.native import NativeTarget
from tecompile.backends.program import Program
from tecompile.board import load_board
from tecompile.graph import Array, Graph, Op
from tecompile.interpret import interpret, random_inputs
from tecompile.ops.scaled import ScaledOp
from tecompile.planner.planner import Optimize, Place, make_plan
from tecompile.render.model import ModelInfo, render_model
from tecompile.render.project import render_project
from tecompile.simulate.prove import Files, Inputs, Proof, prove_firmware, prove_on_host
from tecompile.simulate.simulators import why_not
from tecompile.simulate.toolchain import toolchains
from tecompile.target import Candidate, Target

# Where layers are proved, and how far their arena is moved; only the two M7 are given code in another order.
PLACE = ("board_name", "simulator", "distance")
H743, M4, M7, M33 = ("stm32h743", "unicorn", 0), ("qemu-m4", "qemu", 4), ("qemu-m7", "qemu", 8), ("qemu-m33", "qemu", 4)


def rarely(*values: object) -> Any:
    """A parameter for the long sweeps alone."""
    return pytest.param(*values, marks=pytest.mark.slow)


everywhere = pytest.mark.parametrize(PLACE, [H743, M4, rarely(*M7), rarely(*M33)])
twice = pytest.mark.parametrize(PLACE, [H743, rarely(*M4)])
SEEDS = [100, rarely(101)]  # of what C twins are given
Wanted = Callable[[Candidate], bool]
Gemms = Callable[[ScaledOp, Array, int], tuple[Gemm, ...]]
PRICES = (0, 20, 500)  # of flash


def anything(_candidate: Candidate) -> bool:
    return True


@dataclass(frozen=True)
class Only:
    """A target that offers nothing but wanted kernels, where an operator has any."""

    target: Target
    wanted: Wanted

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        offered = self.target.candidates(op)
        return tuple(filter(self.wanted, offered)) or offered


def random_weights(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """The largest sums there are; or -128 too, which packing x256 can't always take."""
    style = int(random.integers(0, 4))
    if style == 0:
        ends = random.choice([-128, -127, 127], (shape[0], *[1] * (len(shape) - 1)))
        return np.broadcast_to(ends, shape).astype(np.int8)
    most = [0, 128, 127, 9][style]
    return random.integers(-most, min(most + 1, 128), shape).astype(np.int8)


def one_of_all(proved: Gemms) -> Gemms:
    """One proved packing of each layer, whether it is worth its flash or not, with loops of any length."""

    def chosen(op: ScaledOp, weights: Array, _flash_price: int) -> tuple[Gemm, ...]:
        found = proved(op, weights, PRICES[op.index // 3 % len(PRICES)])
        return found[op.index % 3 :][:1] or found[:1]

    return chosen


def side_by_side(name: str, ops: Sequence[Op]) -> Graph:
    """One layer for each input, independent of each other: many shapes in one firmware."""
    inputs = [t for op in ops for t in op.activations]
    return Graph(name, tuple(ops), tuple(inputs), tuple(op.y for op in ops))


def compiled(
    graph: Graph, board_name: str, wanted: Wanted = anything, order: Order | None = None
) -> tuple[Program, dict[str, str]]:
    """In the order of instructions that suits the board's core, or in this one."""
    board = load_board(board_name)
    chain = backend_chain("native", board.core) if order is None else Chain((Armv7emBackend(order), NativeTarget()))
    plan = make_plan(graph, Only(chain, wanted), Place(board.arena[0]), Optimize.SPEED)
    program = lower_program(graph.name, plan, chain.backends)
    return program, render_model(program, ModelInfo("none.tflite", "0" * 64, (b"",)))


def kernels(graph: Graph, wanted: Wanted) -> list[str]:
    """What the layers may use: only what is wanted, where any of it is offered."""
    target = Only(backend_chain("native", load_board("qemu-m7").core), wanted)
    return [target.candidates(op)[0].kernel for op in graph.ops]


def inputs_of(graph: Graph) -> Inputs:
    """Random values, and the ends of the range."""
    frames = [random_inputs(graph, seed) for seed in (1, 2)]
    frames += [[np.full(t.shape, end, t.dtype.numpy) for t in graph.inputs] for end in (-128, 127)]
    return Inputs(frames, [interpret(graph, frame) for frame in frames])


def moved(project: Files, name: str, distance: int) -> dict[str, str | bytes]:
    """The project with its arena so many bytes behind a multiple of 16. `init` refuses 4, which kernels bear."""
    changes = [
        (r"\) union \{", ") __attribute__((aligned(16))) union {"),
        (r"\} arena_0;", f"    uint8_t room[{name.upper()}_REGION0_BYTES + 16];\n}} arena_0;"),
        (r"\{&arena_0, sizeof arena_0\}", f"{{(uint8_t *)&arena_0 + {distance}, sizeof arena_0 - {distance}}}"),
    ]
    return {
        **project,
        **_changed(project, "main.c", changes),
        **_changed(project, f"{name}.h", [(r"(#define \w+_ARENA_ALIGN) \d+", r"\1 4")]),
    }


def _changed(project: Files, ending: str, changes: Sequence[tuple[str, str]]) -> dict[str, str | bytes]:
    (path,) = (path for path in project if path.split("/")[-1] == ending)
    text = project[path]
    assert isinstance(text, str)
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text)
        assert count == 1, pattern
    return {path: text}


def prove(
    graph: Graph,
    board_name: str,
    simulator: str,
    wanted: Wanted = anything,
    distance: int = 0,
    order: Order | None = None,
) -> Proof:
    """On the board, with poison, the arena `distance` bytes behind a multiple of 16 unless that is 0; skips where
    it can't be built or run."""
    board = load_board(board_name)
    if why_not(simulator, board) or not any(toolchains(board)):
        pytest.skip(f"no compiler or simulator for {board_name}")
    program, files = compiled(graph, board_name, wanted, order)
    project = render_project("make", [program], board, files)
    project = moved(project, graph.name, distance) if distance else project
    return _exact(prove_firmware(program, board, project, simulator, inputs_of(graph), poison=True))


def prove_twins(graph: Graph, wanted: Wanted = anything) -> Proof:
    program, files = compiled(graph, "qemu-m7", wanted)
    return _exact(prove_on_host(program, files, inputs_of(graph), poison=True))


def _exact(proof: Proof) -> Proof:
    assert proof.verification.first is None, str(proof.verification.first)
    assert proof.verification.bit_exact
    return proof


def counts(
    graph: Graph, board_name: str = "stm32h743", wanted: Wanted = anything, order: Order = Order.GENERATED
) -> list[int]:
    """Executed instructions of each layer, bit-exact: the fewest, unless another order is asked for."""
    layers = prove(graph, board_name, "unicorn", wanted, order=order).verification.profile.layers
    return [layers[op] for op in graph.ops]
