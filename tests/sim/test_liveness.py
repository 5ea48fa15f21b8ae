"""What is needed from when to when, and what the watch over all other bytes finds: without any compiler."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from time import process_time

import numpy as np
import pytest

from tecompile.backends.program import Program
from tecompile.board import load_board
from tecompile.graph import DType, Graph, Op, Quant, Region, Span, Tensor
from tecompile.interpret import interpret
from tecompile.ops.reshape import Reshape
from tecompile.pipeline import Request, compile_model
from tecompile.planner.plan import Full, Plan, RegionUse, Ring, Scratch, Stage, Step, Unit
from tecompile.planner.planner import Optimize
from tecompile.simulate.calls import macs_executed, region_name
from tecompile.simulate.liveness import Life, Place, lives
from tecompile.simulate.verify import Verification, verify
from tecompile.target import Candidate
from tests.models.networks import NETWORKS

from . import fake
from .fake import Inc, Layout, Sum3, Total, fake_plan
from .layers import rarely
from .perfect import PerfectSession, Sabotage

ROW, PIXEL = fake.ROW, fake.CHANNELS


def plan_of(layout: Layout | None = None) -> Plan:
    return fake_plan("ram", "fake", fake.NOTHING, layout or Layout())


def watched(plan: Plan, sabotage: dict[int, Sabotage] | None = None, poison: bool = True) -> Verification:
    """Two inputs through a perfect firmware."""
    generator = np.random.default_rng(3)
    frames = [[generator.integers(-128, 128, t.shape, np.int8) for t in plan.graph.inputs] for _ in range(2)]
    expected = [interpret(plan.graph, frame) for frame in frames]
    return verify(Program("fake", plan, (), ()), PerfectSession(plan, sabotage), frames, expected, poison)


def by_row(plan: Plan) -> dict[str, set[tuple[int, int]]]:
    """Birth and death of the pixels in each row."""
    found: dict[str, set[tuple[int, int]]] = {}
    for life in lives(plan):
        if life.tensor is not None:
            rows = range(life.span.start // life.tensor.row_bytes, -(-life.span.stop // life.tensor.row_bytes))
            for row in rows:
                found.setdefault(f"{life.tensor.name}{row}", set()).add((life.birth, life.death))
    return found


def scratch_of(plan: Plan) -> list[Life]:
    return [life for life in lives(plan) if life.tensor is None]


def test_rows() -> None:
    """Calls: 0 inc r0, 1 inc r1, 2 sum r0, 3 inc r2, 4 sum r1, ... 13 inc r7, 14 sum r6, 15 sum r7."""
    found = by_row(plan_of())
    assert [found[f"x{row}"] for row in range(8)] == [{(-1, call)} for call in (0, 1, 3, 5, 7, 9, 11, 13)]
    assert [found[f"y{row}"] for row in (0, 1, 2, 7)] == [{(0, 4)}, {(1, 6)}, {(3, 8)}, {(13, 15)}]
    assert [found[f"z{row}"] for row in (0, 1, 7)] == [{(2, 16)}, {(4, 16)}, {(15, 16)}]


def test_parts_of_rows_upwards() -> None:
    """Calls: 0 inc r7 right, 1 inc r7 left, 2 inc r6 right, 3 sum r7 right, 4 inc r6 left, 5 sum r7 left, ..."""
    plan = plan_of(Layout(parts=2, upwards=True))
    found = by_row(plan)
    assert found["x7"] == {(-1, 0), (-1, 1)}
    assert found["y7"] == {(0, 7), (1, 9)}
    assert found["z7"] == {(3, 32), (5, 32)}
    assert set(plan.units.values()) == {Unit.PARTS}


def test_a_row_that_wraps_has_two_places() -> None:
    plan = plan_of(Layout(parts=2, ring_bytes=5 * ROW // 2))
    pieces = {life.span: life.places for life in lives(plan) if life.tensor and life.tensor.name == "y"}
    assert pieces[Span(10 * PIXEL, 12 * PIXEL)] == (
        Place(0, fake.RING, 2 * PIXEL),
    )  # row 2, right half: back at the beginning
    whole = [
        life.places for life in lives(plan_of(Layout(ring_bytes=5 * ROW // 2))) if life.span == Span(2 * ROW, 3 * ROW)
    ]
    assert (Place(0, fake.RING + 2 * ROW, ROW // 2), Place(0, fake.RING, ROW // 2)) in whole


def test_scratch_lives_for_a_call_but_a_sinks_from_call_to_call() -> None:
    found = scratch_of(plan_of(Layout(sink=True)))
    sums = [(life.birth, life.death) for life in found if life.places[0].nbytes == fake.SUMS]
    assert sums == [(3, 6), (6, 9), (9, 12), (12, 15), (15, 18), (18, 21), (21, 23), (23, 23)]
    assert all(life.birth == life.death for life in found if life.places[0].nbytes == fake.SCRATCH)


def test_a_view_keeps_its_source_alive() -> None:
    """x --inc--> y, seen as one row of pixels of 6 --inc--> z: parts of that row need parts of y."""
    x, y, z = (tensor(name, shape) for name, shape in (("x", (2, 2, 6)), ("y", (2, 2, 6)), ("z", (1, 4, 6))))
    seen = tensor("seen", (1, 4, 6))
    first, view, second = Inc(0, (x,), (y,)), Reshape(1, (y,), (seen,)), Inc(2, (seen,), (z,))
    steps = (Step(first, y.whole), *(Step(second, Region(Span(0, 1), Span(c, c + 1))) for c in range(4)))
    buffers = {t: Full(t, 0, offset) for t, offset in ((x, 0), (y, 24), (seen, 24), (z, 48))}
    plan = make_plan((first, view, second), steps, buffers, 72)
    assert [by_row(plan)[f"y{row}"] for row in (0, 1)] == [{(0, 1), (0, 2)}, {(0, 3), (0, 4)}]
    assert "seen0" not in by_row(plan)
    assert watched(plan).bit_exact


def test_a_view_may_be_finer_than_its_source() -> None:
    """x has one pixel of 24 bytes, but dies pixel by pixel of what it is seen as; z grows over it."""
    x = Tensor("x", (1, 24), DType.INT8, Quant((1.0,), (0,)))
    seen, z = tensor("seen", (2, 4, 3)), tensor("z", (2, 4, 3))
    view, inc = Reshape(0, (x,), (seen,)), Inc(1, (seen,), (z,))
    steps = tuple(Step(inc, Region(Span(r, r + 1), Span(c, c + 1))) for r in range(2) for c in range(4))
    plan = make_plan((view, inc), steps, {x: Full(x, 0, 3), seen: Full(seen, 0, 3), z: Full(z, 0, 0)}, 27)
    assert [life.death for life in lives(plan) if life.tensor is x] == list(range(8))
    assert watched(plan).bit_exact
    assert watched(
        replace(plan, buffers={**plan.buffers, z: Full(z, 0, 6)}, regions=(RegionUse("ram", 30),))
    ).violations


def test_a_pixel_that_is_computed_twice_has_two_lives() -> None:
    plan = plan_of()
    again = (plan.steps[0], plan.steps[0], *plan.steps[1:])
    found = by_row(replace(plan, stages=(Stage(plan.ops, again),)))
    assert found["y0"] == {(0, 0), (1, 5)}
    assert macs_executed(again) == macs_executed(plan.steps) + ROW


@pytest.mark.parametrize(
    "layout",
    [
        Layout(),
        Layout(upwards=True),
        Layout(z_offset=ROW),
        Layout(sink=True, sums_offset=0),
        Layout(parts=4, ring_bytes=9 * ROW // 4),
        Layout(parts=2, ring_bytes=5 * ROW // 2, upwards=True, z_offset=0),
        Layout(sink=True),
        Layout(sink=True, parts=2, ring_bytes=5 * ROW // 2),
        Layout(sink=True, sink_at_once=True),
    ],
    ids=str,
)
def test_right_plans(layout: Layout) -> None:
    found = watched(plan_of(layout))
    assert found.bit_exact, found
    assert found.profile.macs_executed == 4 * fake.ROWS * ROW + layout.sink * fake.ROWS * ROW


@pytest.mark.parametrize(
    "layout",
    [
        Layout(ring_bytes=2 * ROW),
        Layout(parts=4, ring_bytes=2 * ROW),
        Layout(z_offset=ROW + PIXEL),
        Layout(z_offset=fake.RING - ROW),
        Layout(sink=True, sums_offset=fake.RING + 3 * ROW),
        Layout(sink=True, sums_offset=2 * ROW),
    ],
    ids=str,
)
def test_wrong_plans(layout: Layout) -> None:
    assert watched(plan_of(layout)).violations


def test_a_byte_that_something_needs_is_watched_even_where_a_call_may_write() -> None:
    """Row 0 of z lies on row 2 of x, which is read by the next call: nothing else would show it before that."""
    found = watched(plan_of(Layout(z_offset=2 * ROW)))
    assert found.violations[0] == f"L01_sum3 rows [0, 1) writes {ROW} bytes it does not own, the first at 0:{2 * ROW}"


@pytest.mark.parametrize("place", [-1, 0, 5, fake.RING + 2 * ROW, Layout().z_offset + ROW, Layout().nbytes])
def test_every_other_byte_is_watched(place: int) -> None:
    """After the first call but one: dead input, live input, ring, output to come, margins."""

    def flip(session: PerfectSession) -> None:
        session.write(0, place, bytes([session.read(0, place, 1)[0] ^ 1]))

    found = watched(plan_of(), {1: flip})
    assert found.violations[0] == f"L00_inc rows [1, 2) writes 1 bytes it does not own, the first at 0:{place}"


def test_two_tensors_in_one_ring() -> None:
    """The second operator works in place: each pixel on the same pixel, 2.5 rows for both."""
    for upwards in (False, True):
        assert watched(in_place_plan(5 * ROW // 2, 0, upwards)).bit_exact
        assert watched(in_place_plan(5 * ROW // 2, PIXEL, upwards)).violations
        assert watched(in_place_plan(2 * ROW, 0, upwards)).violations


def in_place_plan(ring_bytes: int, shift: int, upwards: bool) -> Plan:
    """x --inc--> a --inc, in place--> b --sum3--> z, a sink at the end."""
    shape = (fake.ROWS, fake.COLUMNS, fake.CHANNELS)
    x, a, b, z = (tensor(name, shape) for name in "xabz")
    t = tensor("t", (1, 1, fake.CHANNELS))
    ops = (Inc(0, (x,), (a,)), Inc(1, (a,), (b,)), Sum3(2, (b,), (z,)), Total(3, (z,), (t,)))
    layout = Layout(parts=2, upwards=upwards)
    steps: list[Step] = []
    for step in fake._steps(ops[1], ops[2], None, layout):
        steps += [Step(ops[0], step.region), step] if step.op is ops[1] else [step]
    last = (Step(ops[3], Region(Span(row, row + 1), z.whole.columns), sink=True) for row in range(fake.ROWS))
    ring = 3 * ROW
    buffers = {
        x: Full(x, 0, 0),
        a: Ring(a, 0, fake.RING, ring_bytes, ROW, shift),
        b: Ring(b, 0, fake.RING, ring_bytes, ROW),
        z: Full(z, 0, fake.RING + ring),
        t: Full(t, 0, 0),
    }
    scratch: dict[Op, Scratch] = {ops[3]: Scratch(0, PIXEL, fake.SUMS)}
    return make_plan(ops, (*steps, *last), buffers, fake.RING + ring + fake.ROWS * ROW, scratch)


def tensor(name: str, shape: tuple[int, int, int]) -> Tensor:
    return Tensor(name, (1, *shape), DType.INT8, Quant((1.0,), (0,)))


def make_plan(
    ops: tuple[Op, ...],
    steps: tuple[Step, ...],
    buffers: dict[Tensor, Full | Ring],
    nbytes: int,
    scratch: dict[Op, Scratch] | None = None,
) -> Plan:
    """One stage, one region."""
    running = tuple(op for op in ops if not op.is_view)
    return Plan(
        graph=Graph("fake", ops, (ops[0].x,), (ops[-1].y,)),
        stages=(Stage(running, steps),),
        choices={op: Candidate("fake", "fake") for op in running},
        buffers=buffers,
        scratch=scratch or {},
        regions=(RegionUse("ram", nbytes),),
        lower_bound=nbytes,
        live_bytes=(nbytes,),
    )


@pytest.mark.parametrize("optimize", [Optimize.BALANCED, Optimize.RAM, rarely(Optimize.SPEED), rarely(Optimize.SIZE)])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_planners_plans(name: str, optimize: Optimize) -> None:
    """Proven without kernels: each call finds what it reads, and keeps what others need."""
    request = Request(load_board("stm32h743"), optimize=optimize)
    plan = compile_model(NETWORKS[name](), f"{name}.tflite", request).program.plan
    found = watched(plan)
    assert found.bit_exact, (found.first, found.violations)
    assert found.profile.macs_executed == plan.graph.macs


def test_names_of_calls() -> None:
    plan = plan_of(Layout(sink=True, parts=2))
    assert region_name(plan.steps[0]) == "row 0, columns [0, 2)"
    assert region_name(next(s for s in plan.steps if s.sink)) == "input row 0, columns [0, 2)"
    assert region_name(plan_of().steps[2]) == "rows [0, 1)"


def test_it_is_fast() -> None:
    """A deep network in eighths of rows: the largest plans have some 7,000 calls."""
    shape = (32, 32, 16)
    tensors = [tensor(f"t{i}", shape) for i in range(31)]
    ops = tuple(Inc(i, (x,), (y,)) for i, (x, y) in enumerate(pairwise(tensors)))
    steps = tuple(
        Step(op, Region(Span(row, row + 1), Span(c, c + 4))) for row in range(32) for c in range(0, 32, 4) for op in ops
    )
    buffers = {t: Ring(t, 0, 16384 + 64 * i, 64, 64) for i, t in enumerate(tensors)}
    ends = {t: Full(t, 0, 0) for t in (tensors[0], tensors[-1])}
    plan = make_plan(ops, steps, {**buffers, **ends}, 16384 + 64 * 31)
    began = process_time()
    assert len(steps) == 7680
    assert sum(1 for _ in lives(plan)) > 2000
    assert process_time() - began < 10
