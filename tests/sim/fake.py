"""A two-layer model whose kernels do as they are told, also what they must not: tests of the simulators.

x [8 rows] --inc--> y [ring] --sum3--> z [8 rows]      z[r] = y[r - 1] + y[r] + y[r + 1], modulo 256
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from tecompile.backends.program import Call, KernelSource, Program
from tecompile.board import Board
from tecompile.graph import Array, DType, Graph, Node, Op, Quant, Region, Span, Tensor
from tecompile.interpret import Values, interpret, run
from tecompile.planner.plan import Full, Plan, RegionUse, Ring, Scratch, Stage, Step
from tecompile.render.model import ModelInfo, render_model, selftest_inputs
from tecompile.render.project import render_project
from tecompile.target import Candidate

KERNELS = Path(__file__).parent / "kernels"
ROWS, COLUMNS, CHANNELS = 8, 4, 3
ROW = COLUMNS * CHANNELS
SCRATCH = 16

# What a kernel may be told to do wrong.
NOTHING, STRAY_WRITE, BYTE_TOO_FAR, HANG, DEEP_STACK, UNALIGNED, KEEPS_SCRATCH, WRONG_VALUE = range(8)


@dataclass(frozen=True, eq=False)
class Inc(Op):
    kind, short, arity = "INC", "inc", (1, 1)
    fault: int = NOTHING

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @property
    def streams(self) -> bool:
        return True

    def window(self, index: int, region: Region) -> Region:
        return region

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        assert inputs[0] is not None
        return (inputs[0] + np.int8(1),)


@dataclass(frozen=True, eq=False)
class Sum3(Op):
    kind, short, arity = "SUM3", "sum3", (1, 1)
    fault: int = NOTHING

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @property
    def streams(self) -> bool:
        return True

    def window(self, index: int, region: Region) -> Region:
        return Region(Span(region.rows.start - 1, region.rows.stop + 1), region.columns)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        assert inputs[0] is not None
        wide = np.pad(inputs[0].astype(np.int32), ((0, 0), (1, 1), (0, 0), (0, 0)))
        return ((wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]).astype(np.int8),)


@dataclass(frozen=True)
class Layout:
    """Where the plan puts things; the defaults are right."""

    slots: int = 3
    z_offset: int = ROWS * ROW + 3 * ROW + SCRATCH
    nbytes: int = 2 * ROWS * ROW + 3 * ROW + SCRATCH
    swap_steps: bool = False


@dataclass(frozen=True)
class FakeModel:
    """A program and everything needed to build and check it."""

    program: Program
    files: dict[str, str]

    @property
    def graph(self) -> Graph:
        return self.program.plan.graph

    def frames(self, count: int = 2) -> list[list[Array]]:
        generator = np.random.default_rng(1)
        return [[generator.integers(-128, 128, t.shape, np.int8) for t in self.graph.inputs] for _ in range(count)]

    def expected(self, frames: Sequence[Sequence[Array]]) -> list[Values]:
        return [interpret(self.graph, frame) for frame in frames]


def fake_model(board: Board, name: str = "fake", fault: int = NOTHING, layout: Layout | None = None) -> FakeModel:
    layout = layout or Layout()
    x, y, z = (Tensor(n, (1, ROWS, COLUMNS, CHANNELS), DType.INT8, Quant((1.0,), (0,))) for n in "xyz")
    inc, sum3 = Inc(0, (x,), (y,), fault), Sum3(1, (y,), (z,), fault)
    steps = list(_steps(inc, sum3))
    if layout.swap_steps:
        steps[3], steps[4] = steps[4], steps[3]
    plan = Plan(
        graph=Graph(name, (inc, sum3), (x,), (z,)),
        stages=(Stage((inc, sum3), tuple(steps)),),
        choices={op: Candidate("fake", f"te_fake_{op.short}") for op in (inc, sum3)},
        buffers={
            x: Full(x, 0, 0),
            y: Ring(y, 0, ROWS * ROW, layout.slots, ROW),
            z: Full(z, 0, layout.z_offset),
        },
        scratch={sum3: Scratch(0, ROWS * ROW + 3 * ROW, SCRATCH)},
        regions=(RegionUse(board.arena[0], layout.nbytes),),
        lower_bound=layout.nbytes,
        live_bytes=(layout.nbytes,),
    )
    program = Program(name, plan, (_call(name, 0, inc), _call(name, 1, sum3)), _sources(board))
    golden = tuple(v.tobytes() for v in run(plan.graph, selftest_inputs(plan.graph)))
    return FakeModel(program, render_model(program, ModelInfo("fake.tflite", "0" * 64, golden)))


def quiet(model: FakeModel) -> FakeModel:
    """Without a self-test, which a faulty kernel would not survive."""
    program = model.program
    return replace(model, files=render_model(program, ModelInfo("fake.tflite", "0" * 64)))


def project(board: Board, *models: FakeModel, kind: str = "make") -> dict[str, str]:
    files: dict[str, str] = {}
    for model in models:
        files |= model.files
    return render_project(kind, [model.program for model in models], board, files)


def _steps(inc: Op, sum3: Op) -> Sequence[Step]:
    steps = [Step(inc, 0, 1)]
    for row in range(ROWS):
        if row + 1 < ROWS:
            steps.append(Step(inc, row + 1, row + 2))
        steps.append(Step(sum3, row, row + 1))
    return steps


def _call(name: str, number: int, op: Inc | Sum3) -> Call:
    kernel = f"te_fake_{op.short}"
    return Call(op, f"{name}_L{number:02d}_{op.short}", kernel, f"{kernel}.h", {"row_bytes": ROW, "fault": op.fault})


def _sources(board: Board) -> tuple[KernelSource, ...]:
    names = ["te_fake_inc.h", "te_fake_sum3.h", *(() if board.is_host else ("te_fake_add_row.S",))]
    return tuple(KernelSource(name, (KERNELS / name).read_text("utf-8")) for name in names)
