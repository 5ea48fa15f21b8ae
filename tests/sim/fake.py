"""A small model whose kernels do as they are told, also what they must not: tests of the simulators.

x [8 rows] --inc--> y [ring] --sum3--> z [8 rows]      z[r] = y[r - 1] + y[r] + y[r + 1], modulo 256
If wanted, z [8 rows] --total--> t [1 pixel]           t = sum of all z, by channel, modulo 256
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
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
SUMS = 4 * CHANNELS
RING = ROWS * ROW  # where it begins: after x

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

    @property
    def macs(self) -> int:
        return self.y.elements


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
        return Region(Span(max(0, region.rows.start - 1), min(ROWS, region.rows.stop + 1)), region.columns)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        assert inputs[0] is not None
        wide = np.pad(inputs[0].astype(np.int32), ((0, 0), (1, 1), (0, 0), (0, 0)))
        return ((wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]).astype(np.int8),)

    @property
    def macs(self) -> int:
        return 3 * self.y.elements


@dataclass(frozen=True, eq=False)
class Total(Op):
    kind, short, arity = "TOTAL", "total", (1, 1)
    fault: int = NOTHING

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        assert inputs[0] is not None
        return (inputs[0].astype(np.int32).sum(axis=(1, 2), keepdims=True).astype(np.int8),)

    @property
    def macs(self) -> int:
        return self.x.elements


@dataclass(frozen=True)
class Layout:
    """How the plan runs the model and where it puts things; the defaults are right."""

    ring_bytes: int = 3 * ROW
    z_offset: int = RING + 3 * ROW + SCRATCH
    sums_offset: int = RING + 3 * ROW + SCRATCH + ROWS * ROW
    nbytes: int = RING + 3 * ROW + SCRATCH + ROWS * ROW
    swap_steps: bool = False
    parts: int = 1  # of each row
    upwards: bool = False
    sink: bool = False  # with the third layer
    sink_at_once: bool = False


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
    plan = fake_plan(board.arena[0], name, fault, layout)
    program = Program(name, plan, tuple(_call(name, number, op) for number, op in enumerate(plan.ops)), _sources(board))
    golden = tuple(v.tobytes() for v in run(plan.graph, selftest_inputs(plan.graph)))
    return FakeModel(program, render_model(program, ModelInfo("fake.tflite", "0" * 64, golden)))


def fake_plan(memory: str, name: str, fault: int, layout: Layout) -> Plan:
    x, y, z = (Tensor(n, (1, ROWS, COLUMNS, CHANNELS), DType.INT8, Quant((1.0,), (0,))) for n in "xyz")
    t = Tensor("t", (1, 1, 1, CHANNELS), DType.INT8, Quant((1.0,), (0,)))
    inc, sum3, total = Inc(0, (x,), (y,), fault), Sum3(1, (y,), (z,), fault), Total(2, (z,), (t,), fault)
    ops = (inc, sum3, total) if layout.sink else (inc, sum3)
    steps = list(_steps(inc, sum3, total if layout.sink else None, layout))
    if layout.swap_steps:
        steps[3], steps[4] = steps[4], steps[3]
    scratch = {sum3: Scratch(0, RING + 3 * ROW, SCRATCH), total: Scratch(0, layout.sums_offset, SUMS)}
    nbytes = layout.nbytes + (SUMS + CHANNELS) * layout.sink
    return Plan(
        graph=Graph(name, ops, (x,), (t if layout.sink else z,)),
        stages=(Stage(ops, tuple(steps)),),
        choices={op: Candidate("fake", f"te_fake_{op.short}") for op in ops},
        buffers={
            x: Full(x, 0, 0),
            y: Ring(y, 0, RING, layout.ring_bytes, ROW),
            z: Full(z, 0, layout.z_offset),
            **({t: Full(t, 0, nbytes - CHANNELS)} if layout.sink else {}),
        },
        scratch={op: scratch[op] for op in ops if op in scratch},
        regions=(RegionUse(memory, nbytes),),
        lower_bound=nbytes,
        live_bytes=(nbytes,),
    )


def quiet(model: FakeModel) -> FakeModel:
    """Without a self-test, which a faulty kernel would not survive."""
    program = model.program
    return replace(model, files=render_model(program, ModelInfo("fake.tflite", "0" * 64)))


def project(board: Board, *models: FakeModel, kind: str = "make") -> dict[str, str]:
    files: dict[str, str] = {}
    for model in models:
        files |= model.files
    return render_project(kind, [model.program for model in models], board, files)


def _steps(inc: Op, sum3: Op, total: Op | None, layout: Layout) -> Iterator[Step]:
    """Every row as soon as it can be, part by part."""
    rows = range(ROWS)[:: -1 if layout.upwards else 1]
    yield from _row(inc, rows[0], layout)
    for row, following in zip_longest(rows, rows[1:]):
        ahead = [] if following is None else _row(inc, following, layout)
        for pair in zip_longest(ahead, _row(sum3, row, layout)):
            yield from (step for step in pair if step is not None)
        if total is not None and not layout.sink_at_once:
            yield from (replace(step, sink=True) for step in _row(total, row, layout))
    if total is not None and layout.sink_at_once:
        yield Step(total, total.x.whole, sink=True)


def _row(op: Op, row: int, layout: Layout) -> list[Step]:
    width = COLUMNS // layout.parts
    spans = [Span(column, column + width) for column in range(0, COLUMNS, width)]
    return [Step(op, Region(Span(row, row + 1), span)) for span in spans[:: -1 if layout.upwards else 1]]


def _call(name: str, number: int, op: Op) -> Call:
    assert isinstance(op, Inc | Sum3 | Total)
    kernel = f"te_fake_{op.short}"
    return Call(op, f"{name}_L{number:02d}_{op.short}", kernel, (f"{kernel}.h",), {"fault": op.fault})


def _sources(board: Board) -> tuple[KernelSource, ...]:
    names = ["te_fake_inc.h", "te_fake_sum3.h", "te_fake_total.h", *(() if board.is_host else ("te_fake_add_row.S",))]
    return tuple(KernelSource(name, (KERNELS / name).read_text("utf-8")) for name in names)
