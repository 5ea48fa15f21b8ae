"""The planner on built graphs: validity by the independent checker, and plans known by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tecompile.errors import CannotMeet, InternalError
from tecompile.graph import Access, Effect, Graph, Op, Rounding, Tensor
from tecompile.ops.add import Add
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.relu import Relu
from tecompile.planner.check import verify_alignment, verify_plan
from tecompile.planner.order import best_order
from tecompile.planner.plan import Full, Plan, Ring, Scratch, Step
from tecompile.planner.planner import Optimize, Place, make_plan
from tecompile.planner.schedule import ring_slots, schedule
from tecompile.target import Candidate, Form, Layout
from tests.tools.graphs import Builder


@dataclass(frozen=True)
class FakeTarget:
    """Kernels as a backend would offer them: strips for all, depthwise and add also in place."""

    scratch: int = 0
    in_place: bool = True

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        strip = Candidate("fake", op.short, scratch_bytes=self.scratch, instructions=100)
        if isinstance(op, Add):
            return (replace(strip, in_place=(0, 1)),)
        if isinstance(op, DepthwiseConv2D) and self.in_place:
            return strip, Candidate("fake", "whole", Form.WHOLE, scratch_bytes=16, in_place=(0,), instructions=100)
        return (strip,)


def bottleneck(size: int = 8, stride: int = 1) -> Graph:
    b = Builder()
    x = b.input(1, size, size, 4)
    y = b.conv(b.dw(b.conv(x, 24), 3, stride), 4)
    return b.graph(b.add(x, y) if stride == 1 else y)


def test_an_inverted_bottleneck_is_streamed_through_rings() -> None:
    plan = make_plan(bottleneck(), FakeTarget(in_place=False), Place("RAM"))
    stage = plan.stages[0]
    assert [op.kind for op in stage.ops] == ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"]
    expanded, depthwise = plan.buffers[stage.ops[0].y], plan.buffers[stage.ops[1].y]
    assert isinstance(expanded, Ring)
    assert isinstance(depthwise, Ring)
    assert (expanded.slots, depthwise.slots) == (3, 1)
    # input and output of 8 x 8 x 4, three and one rows of 8 x 24
    assert plan.arena_bytes == 2 * 256 + 4 * 192 == plan.lower_bound


@pytest.mark.parametrize("blocks", [2, 3])
def test_equal_peaks_are_all_streamed(blocks: int) -> None:
    """Streaming one of several equal bottlenecks lowers no peak by itself; all of them do."""
    b = Builder()
    x = b.input(1, 16, 16, 4)
    for _ in range(blocks):
        x = b.conv(b.dw(b.conv(x, 32)), 4)
    plan = make_plan(b.graph(x), FakeTarget(in_place=False), Place("RAM"))
    assert len(plan.stages) == blocks
    assert plan.arena_bytes == 2 * 16 * 16 * 4 + 4 * 16 * 32


def test_what_can_not_fit_is_refused_before_it_is_replayed() -> None:
    with pytest.raises(CannotMeet, match=r"needs 1,280 bytes of RAM, it has 1,000"):
        make_plan(bottleneck(), FakeTarget(in_place=False), Place("RAM", 1000))


def test_inputs_are_aligned_as_dma_needs() -> None:
    plan = make_plan(bottleneck(7), FakeTarget(in_place=False), Place("RAM", input_alignment=32))
    assert plan.buffers[plan.graph.inputs[0]].offset % 32 == 0


def test_ram_is_never_worse_than_other_preferences() -> None:
    """The smallest kernels one by one need not make the smallest plan."""
    graph = bottleneck()
    least = make_plan(graph, FakeTarget(48), Place("RAM"), Optimize.RAM).arena_bytes
    assert all(least <= make_plan(graph, FakeTarget(48), Place("RAM"), o).arena_bytes for o in Optimize)


def test_add_in_place_needs_no_third_buffer() -> None:
    plan = make_plan(bottleneck(), FakeTarget(in_place=False), Place("RAM"))
    add = plan.ops[-1]
    places = [plan.buffers[t].offset for t in (*add.activations, add.y)]
    assert places[2] in places[:2]


def test_depthwise_in_place_shares_its_input() -> None:
    b = Builder()
    graph = b.graph(b.dw(b.input(1, 8, 8, 16), 3, 2))
    plan = make_plan(graph, FakeTarget(), Place("RAM"))
    assert plan.buffers[graph.inputs[0]].offset == plan.buffers[graph.outputs[0]].offset
    assert plan.arena_bytes == 8 * 8 * 16 + 16


def test_an_input_that_is_still_needed_is_not_overwritten() -> None:
    b = Builder()
    x = b.input(1, 8, 8, 16)
    first = b.conv(x, 16)
    plan = make_plan(b.graph(b.add(b.dw(first), first)), FakeTarget(), Place("RAM"))
    depthwise = next(op for op in plan.ops if isinstance(op, DepthwiseConv2D))
    assert plan.buffers[depthwise.x].offset != plan.buffers[depthwise.y].offset


def test_views_share_memory_and_produce_no_step() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    flat = b.reshape(b.conv(x, 2), 1, 32)
    graph = b.graph(b.reshape(flat, 1, 4, 4, 2))
    plan = make_plan(graph, FakeTarget(), Place("RAM"))
    assert [step.op.kind for step in plan.steps] == ["CONV_2D"]
    assert plan.buffers[flat].offset == plan.buffers[graph.outputs[0]].offset == plan.buffers[plan.ops[0].y].offset


def test_branches_run_in_the_order_with_the_smaller_peak() -> None:
    """The file computes two wide maps before it narrows either; one after the other needs one at a time."""
    b = Builder()
    x = b.input(1, 8, 8, 1)
    wide = [b.conv(x, 32), b.conv(x, 32)]
    narrow = [b.conv(w, 1) for w in wide]
    graph = b.graph(b.add(*narrow))
    plan = make_plan(graph, FakeTarget(), Place("RAM"))
    order = [op.y for op in plan.ops]
    assert order.index(narrow[0]) < order.index(wide[1]) or order.index(narrow[1]) < order.index(wide[0])


@dataclass(frozen=True, eq=False)
class Stateful(Relu):
    """An operator that touches a variable beside its work."""

    access: Access = Access.READ

    @property
    def effects(self) -> tuple[Effect, ...]:
        return (Effect("memory", self.access),)


def test_effects_on_one_variable_keep_their_order() -> None:
    """By bytes alone the small reader would come first."""
    b = Builder()
    x, tiny = b.input(1, 8, 8, 8), b.input(1, 1, 1, 1)
    kinds = [(x, Access.WRITE), (tiny, Access.READ), (x, Access.WRITE)]
    ops = []
    for number, (source, access) in enumerate(kinds):
        y = b.tensor(*source.shape)
        ops.append(Stateful(number, (source,), (y,), Rounding.DOUBLE, access))
    graph = replace(b.graph(*(op.y for op in ops)), ops=tuple(ops))
    assert [op.index for op in best_order(graph)] == [0, 1, 2]


def test_schedule_of_a_stage_pulls_rows_just_in_time() -> None:
    graph = bottleneck(4)
    ops = graph.ops[:3]
    choices = {op: Candidate("fake", op.short) for op in ops}
    steps = [(step.op.index, step.first) for step in schedule(ops, choices)]
    assert steps == [(0, 0), (0, 1), (1, 0), (2, 0), (0, 2), (1, 1), (2, 1), (0, 3), (1, 2), (2, 2), (1, 3), (2, 3)]
    assert ring_slots(ops[0].y, schedule(ops, choices)) == 3


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Chains with residuals, strides, views, pools and several outputs."""
    b = Builder(draw(st.integers(0, 99)))
    x = b.input(1, draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.integers(1, 5)))
    made: list[Tensor] = [x]
    for _ in range(draw(st.integers(1, 8))):
        x = made[draw(st.integers(max(0, len(made) - 3), len(made) - 1))]
        kind = draw(st.sampled_from(["conv", "expand", "dw", "add", "pad", "view"]))
        kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        if kind in ("conv", "expand"):
            made.append(b.conv(x, 12 if kind == "expand" else 3, kernel, stride))
        elif kind == "dw":
            made.append(b.dw(x, kernel, stride))
        elif kind == "add":
            made.append(b.add(x, next(t for t in reversed(made) if t.shape == x.shape)))
        elif kind == "pad":
            made.append(b.pad(x, 1, 0, 2, 1))
        else:
            made.append(b.reshape(b.reshape(x, 1, x.elements), *x.shape))
    outputs = {made[-1], *draw(st.lists(st.sampled_from(made[1:]), max_size=2))}
    return b.graph(*sorted(outputs, key=lambda t: t.name))


@settings(max_examples=200, deadline=None)
@given(graphs(), st.integers(0, 40), st.booleans())
def test_plans_of_random_graphs_are_valid(graph: Graph, scratch: int, in_place: bool) -> None:
    plan = make_plan(graph, FakeTarget(scratch, in_place), Place("RAM"))  # verify_plan runs inside
    assert plan.arena_bytes >= plan.lower_bound
    assert {op for op in graph.ops if not op.is_view} == set(plan.ops)


def broken(plan: Plan, tensor: Tensor, **changes: int) -> Plan:
    return replace(plan, buffers={**plan.buffers, tensor: replace(plan.buffers[tensor], **changes)})


class TestTheCheckerNotices:
    """Each rule of verify_plan, broken on purpose."""

    plan = make_plan(bottleneck(), FakeTarget(16, in_place=False), Place("RAM"))
    ring = plan.stages[0].ops[0].y

    def test_a_ring_with_too_few_slots(self) -> None:
        with pytest.raises(InternalError, match=r"reads row 0 of .* overwritten"):
            verify_plan(broken(self.plan, self.ring, slots=2))

    def test_a_buffer_outside_the_arena(self) -> None:
        with pytest.raises(InternalError, match="leaves the arena"):
            verify_plan(broken(self.plan, self.plan.graph.outputs[0], offset=self.plan.arena_bytes - 4))

    def test_two_live_tensors_in_one_place(self) -> None:
        offset = self.plan.buffers[self.plan.graph.inputs[0]].offset
        with pytest.raises(InternalError, match=r"overwritten|overwrites"):
            verify_plan(broken(self.plan, self.ring, offset=offset))

    def test_scratch_over_an_operand(self) -> None:
        op = self.plan.ops[0]
        at = self.plan.buffers[op.x].offset
        with pytest.raises(InternalError, match="scratch overlaps"):
            verify_plan(replace(self.plan, scratch={**self.plan.scratch, op: Scratch(0, at, 16)}))

    def test_rows_read_before_they_exist(self) -> None:
        stage = self.plan.stages[0]
        swapped = replace(stage, steps=(stage.steps[2], *stage.steps[:2], *stage.steps[3:]))
        with pytest.raises(InternalError, match="overwritten"):
            verify_plan(replace(self.plan, stages=(swapped, *self.plan.stages[1:])))

    def test_a_kernel_that_is_not_in_place_but_placed_so(self) -> None:
        b = Builder()
        graph = b.graph(b.conv(b.input(1, 4, 4, 2), 2, 3))
        plan = make_plan(graph, FakeTarget(), Place("RAM"))
        offset = plan.buffers[graph.inputs[0]].offset
        with pytest.raises(InternalError, match="overwrites its own input"):
            verify_plan(broken(plan, graph.outputs[0], offset=offset))

    def test_a_result_beside_the_input_it_should_replace(self) -> None:
        b = Builder()
        x, other = b.input(1, 4, 4, 2), b.input(1, 4, 4, 2)
        graph = b.graph(b.add(x, other))
        plan = make_plan(graph, FakeTarget(), Place("RAM"))
        offset = plan.buffers[graph.outputs[0]].offset
        assert offset in (plan.buffers[x].offset, plan.buffers[other].offset)
        shifted = replace(plan, regions=(replace(plan.regions[0], nbytes=plan.arena_bytes + 8),))
        with pytest.raises(InternalError, match="overwrites its own input"):
            verify_plan(broken(shifted, graph.outputs[0], offset=offset + 8))

    def test_a_layout_that_was_not_planned(self) -> None:
        op = self.plan.ops[0]
        strange = replace(self.plan.choices[op], layout_out=Layout.PLANES16)
        with pytest.raises(InternalError, match="layouts"):
            verify_alignment(replace(self.plan, choices={**self.plan.choices, op: strange}))

    def test_a_row_stride_that_breaks_alignment(self) -> None:
        op = self.plan.ops[1]
        strict = replace(self.plan, choices={**self.plan.choices, op: replace(self.plan.choices[op], alignment=8)})
        odd = broken(strict, self.ring, slot_bytes=self.plan.buffers[self.ring].slot_bytes + 4, offset=0)
        with pytest.raises(InternalError, match="aligned to 8"):
            verify_alignment(odd)

    def test_misalignment(self) -> None:
        op = self.plan.ops[0]
        strict = replace(self.plan, choices={**self.plan.choices, op: replace(self.plan.choices[op], alignment=64)})
        with pytest.raises(InternalError, match="aligned to 64"):
            verify_alignment(broken(strict, op.x, offset=4))


def test_full_and_ring_addresses() -> None:
    tensor = Builder().tensor(1, 5, 4, 2)
    assert Full(tensor, 0, 100).row_offset(3) == 100 + 3 * 8
    assert Ring(tensor, 0, 100, 3, 12).row_offset(4) == 100 + 12
    assert Step(bottleneck().ops[0], 0, 1).first == 0
