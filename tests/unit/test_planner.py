"""The planner on built graphs: validity by the independent checker, and plans known by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tecompile.errors import CannotMeet, InternalError
from tecompile.graph import Access, Effect, Graph, Op, Padding, Region, Rounding, Run, Span, Tensor
from tecompile.ops.add import Add
from tecompile.ops.concatenation import Concatenation
from tecompile.ops.conv2d import Conv2D
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.relu import Relu
from tecompile.planner.check import verify_alignment, verify_plan
from tecompile.planner.draft import Draft, seat_of
from tecompile.planner.order import best_order
from tecompile.planner.plan import Buffer, Full, Plan, Ring, Scratch
from tecompile.planner.planner import Optimize, Place, by_parts, front, make_plan
from tecompile.planner.search import Edge, Search, Stages, Taste, Way
from tecompile.planner.walk import AT_ONCE, Mode
from tecompile.target import Candidate, Form, Layout
from tests.tools.graphs import Builder
from tests.tools.random_graphs import graphs
from tests.tools.stages import longest_stages


@dataclass(frozen=True)
class FakeTarget:
    """Kernels as a backend would offer them: strips for all, some in place."""

    scratch: int = 0
    in_place: bool = True
    run_pixels: int = 0

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        strip = Candidate("fake", op.short, scratch_bytes=self.scratch, instructions=100_000, call_instructions=10)
        if not op.streams:
            return (replace(strip, form=Form.WHOLE),)
        if isinstance(op, Add):
            return (replace(strip, in_place=tuple(i for i, t in enumerate((op.x, op.b)) if t.shape == op.y.shape)),)
        if isinstance(op, Conv2D) and (op.kernel, op.stride, op.padding) == ((1, 1), (1, 1), Padding()):
            return (replace(strip, run_pixels=self.run_pixels),)
        if isinstance(op, Relu):
            return (replace(strip, in_place=(0,)),)
        if isinstance(op, DepthwiseConv2D) and self.in_place:
            whole = Candidate("fake", "whole", Form.WHOLE, scratch_bytes=16, in_place=(0,), instructions=100_000)
            shrinks = op.y.nbytes <= op.x.nbytes
            return (replace(strip, by_channel=(0,)), whole) if shrinks else (strip,)
        return (strip,)


class ConcatTarget(FakeTarget):
    """A concatenation along rows whose inputs may lie in its output."""

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        (offer, *more) = super().candidates(op)
        outer = isinstance(op, Concatenation) and op.axis == 1 and len(set(op.inputs)) == len(op.inputs) > 1
        return (replace(offer, places={0: 0, 1: op.x.nbytes}), *more) if outer else (offer, *more)


def bottleneck(size: int = 8, stride: int = 1) -> Graph:
    b = Builder()
    x = b.input(1, size, size, 4)
    y = b.conv(b.dw(b.conv(x, 24), 3, stride), 4)
    return b.graph(b.add(x, y) if stride == 1 else y)


def planned(graph: Graph, target: FakeTarget | None = None, optimize: Optimize = Optimize.RAM) -> Plan:
    return make_plan(graph, target or FakeTarget(), Place("RAM"), optimize)


def stage_of(graph: Graph, mode: Mode, target: FakeTarget | None = None) -> Draft:
    """All operators as one stage."""
    stages = Stages(graph, target or FakeTarget())
    return stages.draft(Edge(0, len(stages.ops), Way(mode, Taste.FAST)))


class TestStages:
    """Sizes of rings, worked out by hand."""

    def ring_bytes(self, draft: Draft) -> dict[str, int]:
        return {t.name: use.largest for home, use in draft.homes for t in home.members}

    def test_rings_of_an_inverted_bottleneck(self) -> None:
        """Three rows of 8 x 24 for the window of 3, one row for its result; the sum takes its input's place."""
        graph = bottleneck()
        draft = stage_of(graph, Mode(1), FakeTarget(in_place=False))
        expand, depthwise, project, _ = graph.ops
        sizes = self.ring_bytes(draft)
        assert (sizes[expand.y.name], sizes[depthwise.y.name], sizes[project.y.name]) == (3 * 192, 192, 32)
        assert seat_of(graph.outputs[0], draft.replaced) == (graph.inputs[0], 0)
        assert draft.peak == 256 + 3 * 192 + 192 + 32

    def test_depthwise_writes_on_the_row_that_dies(self) -> None:
        """No row for the result: the first one lies where the third row of the input comes next."""
        graph = bottleneck()
        draft = stage_of(graph, Mode(1))
        expand, depthwise, *_ = graph.ops
        assert self.ring_bytes(draft)[expand.y.name] == self.ring_bytes(draft)[depthwise.y.name] == 3 * 192
        home = next(home for home, _ in draft.homes if depthwise.y in home.members)
        assert set(home.members) == {expand.y, depthwise.y}

    def test_a_stride_frees_two_rows_for_each_result(self) -> None:
        graph = bottleneck(stride=2)
        draft = stage_of(graph, Mode(1))
        expand, depthwise, _ = graph.ops
        home = next(home for home, _ in draft.homes if depthwise.y in home.members)
        assert home.members[depthwise.y].row_step == 2 * home.members[expand.y].row_step

    def test_parts_of_rows_need_smaller_rings(self) -> None:
        graph = bottleneck(16)
        peaks = [stage_of(graph, mode).peak for mode in (Mode(2), Mode(1), Mode(1, 2), Mode(1, 4))]
        assert peaks == sorted(peaks, reverse=True)
        assert len(set(peaks)) == 4

    @pytest.mark.parametrize("mode", [Mode(1), Mode(2), Mode(1, 3)])
    def test_upwards_is_the_mirror_image(self, mode: Mode) -> None:
        graph = bottleneck(9)
        down, up = stage_of(graph, mode), stage_of(graph, replace(mode, upwards=True))
        assert down.peak == up.peak
        assert [s.op for s in down.steps] == [s.op for s in up.steps]
        rows = graph.outputs[0].image.rows
        columns = graph.outputs[0].image.columns
        assert [columns - s.region.columns.stop for s in up.steps] == [s.region.columns.start for s in down.steps]
        assert [rows - s.region.rows.stop for s in up.steps] == [s.region.rows.start for s in down.steps]

    def test_pointwise_calls_may_end_inside_a_row(self) -> None:
        """Rows of 5 pixels: runs of 4, and no part of a row is left over."""
        graph = bottleneck(5)
        draft = stage_of(graph, Mode(1, runs=True), FakeTarget(run_pixels=4))
        runs = [step.region for step in draft.steps if step.op is graph.ops[0]]
        assert runs == [*(Run(n, n + 4) for n in range(0, 24, 4)), Run(24, 25)]
        assert all(step.region.size == 5 for step in draft.steps if step.op is graph.ops[1])

    def test_calls_come_just_in_time(self) -> None:
        steps = [(step.op.index, step.region.rows.start) for step in stage_of(bottleneck(4), Mode(1)).steps]
        assert steps[:8] == [(0, 0), (0, 1), (1, 0), (2, 0), (3, 0), (0, 2), (1, 1), (2, 1)]

    @pytest.mark.parametrize("kernels", [(5, 3), (3, 5), (7, 5)])
    def test_two_depthwise_on_one_tensor_do_not_meet(self, kernels: tuple[int, int]) -> None:
        """Both may write on dead rows of their input, but not on the same ones."""
        b = Builder()
        x = b.conv(b.input(1, 16, 16, 4), 16)
        y = b.add(*(b.dw(x, kernel) for kernel in kernels))
        plan = longest_stages(b.graph(b.conv(y, 4)), FakeTarget(), Mode(1))
        verify_plan(plan)
        assert len(plan.stages) == 1

    def test_scratch_is_there_during_its_calls_only(self) -> None:
        """Two kernels of one stage use the same bytes in turn."""
        draft = stage_of(bottleneck(), Mode(1), FakeTarget(64, in_place=False))
        without = stage_of(bottleneck(), Mode(1), FakeTarget(0, in_place=False))
        assert draft.peak == without.peak + 64

    def test_a_residual_waits_in_a_longer_ring(self) -> None:
        b = Builder()
        x = b.conv(b.input(1, 12, 4, 4), 4)
        y = b.dw(b.dw(b.dw(x, 3), 3), 3)
        draft = stage_of(b.graph(b.conv(b.add(x, y), 4)), Mode(1), FakeTarget(in_place=False))
        assert self.ring_bytes(draft)[x.name] == 4 * 16

    def test_side_outputs_are_computed_on_the_way(self) -> None:
        b = Builder()
        x = b.conv(b.input(1, 8, 8, 2), 4)
        aside = b.maxpool(x)
        main = b.conv(x, 4, 3)
        graph = b.graph(aside, main)
        draft = stage_of(graph, Mode(1))
        assert self.ring_bytes(draft)[x.name] == 3 * 32


def test_an_inverted_bottleneck_is_streamed_through_rings() -> None:
    plan = planned(bottleneck(), FakeTarget(in_place=False))
    stage = plan.stages[0]
    assert [op.kind for op in stage.ops] == ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "ADD"]
    assert all(isinstance(plan.buffers[op.y], Ring) for op in stage.ops[:2])
    assert plan.arena_bytes == plan.lower_bound < 256 + 4 * 192


def test_a_result_takes_the_place_of_its_input_as_that_dies() -> None:
    """8 x 8 x 16 on 8 x 8 x 16 through a window of 3: two rows more than one of the tensors."""
    b = Builder()
    plan = planned(b.graph(b.conv(b.input(1, 8, 8, 16), 16, 3)))
    assert plan.arena_bytes <= 8 * 8 * 16 + 2 * 8 * 16


def test_chained_overlays_go_both_ways() -> None:
    """Results move down through memory, then up again."""
    b = Builder()
    x = b.input(1, 16, 16, 8)
    for _ in range(6):
        x = b.conv(x, 8, 3)
    plan = planned(b.graph(x))
    assert plan.arena_bytes <= 16 * 16 * 8 + 2 * 16 * 8


@pytest.mark.parametrize("blocks", [2, 3])
def test_equal_peaks_are_all_streamed(blocks: int) -> None:
    b = Builder()
    x = b.input(1, 16, 16, 4)
    for _ in range(blocks):
        x = b.conv(b.dw(b.conv(x, 32)), 4)
    plan = planned(b.graph(x))
    assert plan.arena_bytes <= 16 * 16 * 4 + 4 * 16 * 32


def test_speed_takes_memory_where_there_is_some() -> None:
    graph = bottleneck(16)
    fast, small = planned(graph, optimize=Optimize.SPEED), planned(graph)
    assert len(fast.steps) == len(fast.ops) < len(small.steps)
    assert small.arena_bytes < fast.arena_bytes


@pytest.mark.parametrize("optimize", Optimize)
def test_any_amount_of_memory_gives_a_plan(optimize: Optimize) -> None:
    """At every point between the fastest and the smallest plan, and a byte below."""
    graph, target, place = bottleneck(16), FakeTarget(24), Place("RAM")
    points = front(graph, target, place)
    for point in points:
        for most in (point.arena_bytes, point.arena_bytes - 1):
            plan = make_plan(graph, target, place, optimize, most)
            assert plan.arena_bytes <= max(most, points[-1].arena_bytes)


class DearCalls(FakeTarget):
    """Of two plans, the faster is the one with fewer calls by far."""

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        return tuple(replace(c, call_instructions=2000, part_instructions=2000) for c in super().candidates(op))


def separable() -> Graph:
    b = Builder()
    x = b.conv(b.input(1, 24, 24, 1), 16, 5, 2)
    for _ in range(4):
        x = b.conv(b.dw(x), 16)
    return b.graph(x)


@pytest.mark.parametrize("graph", [bottleneck(12, 2), bottleneck(16), separable()], ids=["small", "add", "separable"])
@pytest.mark.parametrize("target", [DearCalls(), DearCalls(24), DearCalls(24, in_place=False)], ids=str)
def test_speed_is_as_fast_as_any_plan_that_is_known_to_fit(graph: Graph, target: FakeTarget) -> None:
    """Also where that needs parts of rows, or is laid out in less than its stages seem to need."""
    for point in front(graph, target, Place("RAM")):
        for most in (point.arena_bytes, point.arena_bytes + 40):
            plan = make_plan(graph, target, Place("RAM"), Optimize.SPEED, most)
            assert plan.arena_bytes <= most
            assert len(plan.steps) <= point.calls


def test_speed_streams_where_memory_is_short() -> None:
    graph = bottleneck(16)
    roomy = planned(graph, optimize=Optimize.SPEED).arena_bytes
    plan = make_plan(graph, FakeTarget(), Place("RAM", roomy - 1), Optimize.SPEED)
    assert plan.arena_bytes < roomy


def test_placing_exactly_is_never_worse() -> None:
    """With CP-SAT, where it is installed."""
    pytest.importorskip("ortools")
    for size in (5, 9, 12):
        graph = bottleneck(size)
        exact = make_plan(graph, FakeTarget(24), Place("RAM"), Optimize.RAM, exact=True)
        assert exact.lower_bound <= exact.arena_bytes <= planned(graph, FakeTarget(24)).arena_bytes


def test_what_is_only_copied_is_computed_where_it_belongs() -> None:
    """Two halves of an image: no second copy of either."""
    b = Builder()
    x = b.input(1, 8, 8, 4)
    parts = b.conv(x, 6, 3), b.conv(x, 6, 3)
    whole = b.concat(*parts, axis=1)
    plan = planned(b.graph(b.conv(whole, 3)), ConcatTarget(), Optimize.SPEED)
    upper, lower, joined = (plan.buffers[t].offset for t in (*parts, whole))
    assert (upper, lower) == (joined, joined + parts[0].nbytes)


def test_what_can_not_fit_is_refused_before_it_is_replayed() -> None:
    with pytest.raises(CannotMeet, match=r"needs [\d,]+ bytes of RAM, it has 500"):
        make_plan(bottleneck(), FakeTarget(in_place=False), Place("RAM", 500))


def test_inputs_are_aligned_as_dma_needs() -> None:
    plan = make_plan(bottleneck(7), FakeTarget(in_place=False), Place("RAM", input_alignment=32))
    assert plan.buffers[plan.graph.inputs[0]].offset % 32 == 0


def test_ram_is_never_worse_than_other_preferences() -> None:
    graph = bottleneck()
    least = planned(graph, FakeTarget(48)).arena_bytes
    assert all(least <= planned(graph, FakeTarget(48), o).arena_bytes for o in Optimize)


def test_add_in_place_needs_no_third_buffer() -> None:
    plan = planned(bottleneck(), FakeTarget(in_place=False), Optimize.SPEED)
    add = plan.ops[-1]
    places = [plan.buffers[t].offset for t in (*add.activations, add.y)]
    assert places[2] in places[:2]


def test_depthwise_in_place_shares_its_input() -> None:
    b = Builder()
    graph = b.graph(b.dw(b.input(1, 8, 8, 16), 3, 2))
    plan = planned(graph, optimize=Optimize.SPEED)
    if plan.choices[graph.ops[0]].form is Form.WHOLE:
        assert plan.buffers[graph.inputs[0]].offset == plan.buffers[graph.outputs[0]].offset
    assert planned(graph).arena_bytes <= 8 * 8 * 16 + 16


def test_an_input_that_is_still_needed_is_not_overwritten() -> None:
    b = Builder()
    x = b.input(1, 8, 8, 16)
    first = b.conv(x, 16)
    plan = planned(b.graph(b.add(b.dw(first), first)), optimize=Optimize.SPEED)
    depthwise = next(op for op in plan.ops if isinstance(op, DepthwiseConv2D))
    assert plan.buffers[depthwise.x].offset != plan.buffers[depthwise.y].offset


def test_an_input_that_is_hardly_read_still_has_room() -> None:
    """A stride leaves rows unread; the caller writes them all the same."""
    b = Builder()
    plan = planned(b.graph(b.conv(b.input(1, 8, 8, 4), 2, 1, 2)))
    assert plan.arena_bytes >= 256


def test_views_share_memory_and_produce_no_step() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    flat = b.reshape(b.conv(x, 2), 1, 32)
    graph = b.graph(b.reshape(flat, 1, 4, 4, 2))
    plan = planned(graph)
    assert {step.op.kind for step in plan.steps} == {"CONV_2D"}
    assert plan.buffers[flat].offset == plan.buffers[graph.outputs[0]].offset == plan.buffers[plan.ops[0].y].offset


def test_shapes_of_another_rank_with_the_same_rows_do_not_end_a_stage() -> None:
    """As a network of Conv1D has between all its layers."""
    b = Builder()
    x = b.conv(b.input(1, 24, 24, 3), 16, 3)
    renamed = b.reshape(x, 24, 24, 16)
    y = b.conv(b.reshape(b.relu(renamed), 1, 24, 24, 16), 4, 3, 2)
    plan = planned(b.graph(y))
    ring = plan.buffers[x]
    assert isinstance(ring, Ring)
    assert plan.buffers[renamed] == replace(ring, tensor=renamed)
    assert len(plan.stages) == 1


def test_a_network_without_operators_is_its_input() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    plan = planned(b.graph(x))
    assert (plan.arena_bytes, plan.steps) == (32, ())


def test_branches_run_in_the_order_with_the_smaller_peak() -> None:
    """The file computes two wide maps before it narrows either; one after the other needs one at a time."""
    b = Builder()
    x = b.input(1, 8, 8, 1)
    wide = [b.conv(x, 32), b.conv(x, 32)]
    narrow = [b.conv(w, 1) for w in wide]
    graph = b.graph(b.add(*narrow))
    order = [op.y for op in best_order(graph)]
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
        ops.append(Stateful(number, (source,), (y,), Rounding.DOUBLE, access=access))
    graph = replace(b.graph(*(op.y for op in ops)), ops=tuple(ops))
    assert [op.index for op in best_order(graph)] == [0, 1, 2]


def test_an_operator_with_state_is_a_stage_of_its_own() -> None:
    b = Builder()
    x = b.conv(b.input(1, 8, 8, 8), 8, 3)
    y = b.tensor(1, 8, 8, 8)
    graph = b.graph(y)
    graph = replace(graph, ops=(*graph.ops, Stateful(1, (x,), (y,), Rounding.DOUBLE, access=Access.WRITE)))
    assert all(len(stage.ops) == 1 for stage in planned(graph).stages)


# -- the search against all partitions ---------------------------------------------------------------------------


def partitions(count: int) -> Iterator[list[tuple[int, int]]]:
    """All ways to cut operators 0 ... count into runs."""
    for cuts in product((False, True), repeat=max(0, count - 1)):
        ends = [i + 1 for i, cut in enumerate(cuts) if cut] + [count] * (count > 0)
        yield list(zip([0, *ends], ends, strict=False))


@settings(max_examples=50, deadline=None)
@given(graphs(most=5), st.integers(0, 40), st.booleans(), st.sampled_from([FakeTarget, ConcatTarget]))
def test_the_search_finds_the_smallest_peak(
    graph: Graph, scratch: int, in_place: bool, target: type[FakeTarget]
) -> None:
    """Its bounds, and what it concludes from one stage for others, must never hide the best one."""
    stages = Stages(graph, target(scratch, in_place))
    modes = [Mode(AT_ONCE), Mode(1), Mode(2), Mode(1, 2)]
    ways = [Way(mode, Taste.FAST) for mode in modes]
    found = Search(stages, ways).smallest().peak

    def peaks(begin: int, end: int) -> Iterator[int]:
        for way in ways:
            alone = way.mode.rows == AT_ONCE and end - begin > 1
            if not alone and all(stages.choice(op, way) for op in stages.ops[begin:end]):
                yield stages.draft(Edge(begin, end, way)).peak

    best = {run: min(peaks(*run), default=1 << 40) for runs in partitions(len(stages.ops)) for run in runs}
    assert found == min(max((best[run] for run in runs), default=0) for runs in partitions(len(stages.ops)))


@settings(max_examples=90, deadline=None)
@given(graphs(), st.integers(0, 40), st.booleans(), st.sampled_from(Optimize))
def test_plans_of_random_graphs_are_valid(graph: Graph, scratch: int, in_place: bool, optimize: Optimize) -> None:
    plan = planned(graph, FakeTarget(scratch, in_place), optimize)  # verify_plan runs inside
    assert plan.arena_bytes >= plan.lower_bound
    assert {op for op in graph.ops if not op.is_view} == set(plan.ops)


MODES = [Mode(1), Mode(1, runs=True), Mode(2), Mode(2, runs=True), Mode(1, 2), Mode(1, 3), Mode(1, 8)]


@settings(max_examples=90, deadline=None)
@given(graphs(), st.sampled_from(MODES), st.booleans(), st.integers(0, 40), st.booleans(), st.sampled_from([0, 2, 4]))
def test_any_run_of_operators_can_be_a_stage(
    graph: Graph, mode: Mode, upwards: bool, scratch: int, in_place: bool, run_pixels: int
) -> None:
    """The longest stages there can be, in every mode and direction."""
    target = FakeTarget(scratch, in_place, run_pixels)
    plan = longest_stages(graph, target, replace(mode, upwards=upwards))
    verify_plan(plan)
    verify_alignment(plan)


def broken(plan: Plan, tensor: Tensor, **changes: int) -> Plan:
    return replace(plan, buffers={**plan.buffers, tensor: replace(plan.buffers[tensor], **changes)})


class TestTheCheckerNotices:
    """Each rule of verify_plan, broken on purpose."""

    plan = planned(bottleneck(), FakeTarget(16, in_place=False))
    ring = plan.stages[0].ops[0].y

    def ring_buffer(self) -> Ring:
        buffer = self.plan.buffers[self.ring]
        assert isinstance(buffer, Ring)
        return buffer

    def test_a_ring_with_too_few_rows(self) -> None:
        smaller = self.ring_buffer().nbytes - self.ring_buffer().row_step
        with pytest.raises(InternalError, match="overwritten"):
            verify_plan(broken(self.plan, self.ring, nbytes=smaller))

    def test_a_buffer_outside_the_arena(self) -> None:
        with pytest.raises(InternalError, match="leaves the arena"):
            verify_plan(broken(self.plan, self.plan.graph.outputs[0], offset=self.plan.arena_bytes - 4))

    def test_a_row_that_leaves_its_ring(self) -> None:
        ring = self.ring_buffer()
        with pytest.raises(InternalError, match=r"overwritten|leaves"):
            verify_plan(broken(self.plan, self.ring, shift=ring.row_step // 2, row_step=ring.row_step + 4))

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
        depthwise = next(i for i, step in enumerate(stage.steps) if step.op is stage.ops[1])
        swapped = replace(stage, steps=(stage.steps[depthwise], *stage.steps))
        with pytest.raises(InternalError, match="overwritten"):
            verify_plan(replace(self.plan, stages=(swapped, *self.plan.stages[1:])))

    def test_a_kernel_that_is_not_in_place_but_placed_so(self) -> None:
        b = Builder()
        graph = b.graph(b.conv(b.input(1, 4, 4, 2), 2, 3))
        plan = planned(graph, optimize=Optimize.SPEED)
        offset = plan.buffers[graph.inputs[0]].offset
        with pytest.raises(InternalError, match=r"overwrites its own input"):
            verify_plan(broken(plan, graph.outputs[0], offset=offset))

    def test_a_result_beside_the_input_it_should_replace(self) -> None:
        b = Builder()
        x, other = b.input(1, 4, 4, 2), b.input(1, 4, 4, 2)
        graph = b.graph(b.add(x, other))
        plan = planned(graph, optimize=Optimize.SPEED)
        offset = plan.buffers[graph.outputs[0]].offset
        assert offset in (plan.buffers[x].offset, plan.buffers[other].offset)
        shifted = replace(plan, regions=(replace(plan.regions[0], nbytes=plan.arena_bytes + 8),))
        with pytest.raises(InternalError, match=r"overwrites its own input"):
            verify_plan(broken(shifted, graph.outputs[0], offset=offset + 8))

    def test_a_depthwise_result_on_the_wrong_channel(self) -> None:
        graph = bottleneck()
        plan = planned(graph)
        depthwise = plan.ops[1].y
        ring = plan.buffers[depthwise]
        assert isinstance(ring, Ring)
        assert ring.offset == plan.buffers[plan.ops[0].y].offset, "not in place: the test tests nothing"
        with pytest.raises(InternalError, match=r"overwrites its own input|leaves|overwritten"):
            verify_plan(broken(plan, depthwise, shift=ring.shift + 1))

    def test_several_rows_at_once_on_rows_that_die(self) -> None:
        """A kernel that goes row by row would read what it has just overwritten."""
        plan = planned(bottleneck())
        stage, depthwise = plan.stages[0], plan.ops[1]
        assert plan.buffers[depthwise.x].offset == plan.buffers[depthwise.y].offset, "not in place"
        steps = list(stage.steps)
        first, second = [i for i, step in enumerate(steps) if step.op is depthwise][1:3]
        rows = Span(steps[first].region.rows.start, steps[second].region.rows.stop)
        steps[second] = replace(steps[second], region=Region(rows, steps[second].region.columns))
        del steps[first]
        with pytest.raises(InternalError):
            verify_plan(replace(plan, stages=(replace(stage, steps=tuple(steps)), *plan.stages[1:])))

    def test_a_larger_result_in_place(self) -> None:
        b = Builder()
        graph = b.graph(b.dw(b.input(1, 8, 8, 16), 3, 2))
        plan = planned(graph, FakeTarget(16), Optimize.SPEED)
        op = graph.ops[0]
        whole = replace(plan.choices[op], form=Form.WHOLE, in_place=(0,), by_channel=())
        moved = broken(replace(plan, choices={op: whole}), op.y, offset=plan.buffers[op.x].offset + 4)
        with pytest.raises(InternalError, match=r"overwrites its own input|leaves"):
            verify_plan(moved)

    def test_a_ring_that_ends_inside_a_pixel(self) -> None:
        ring = self.ring_buffer()
        bent = broken(self.plan, self.ring, nbytes=ring.nbytes - 5, shift=3)
        with pytest.raises(InternalError, match="ends inside a pixel"):
            verify_alignment(bent)

    def test_sums_overwritten_between_two_calls_of_a_sink(self) -> None:
        """By a tensor that is none of its own business."""
        plan, sink = sink_plan()
        conv = plan.ops[0]
        choices = {**plan.choices, conv: replace(plan.choices[conv], scratch_bytes=4)}
        beyond = Scratch(0, -(-plan.arena_bytes // 8) * 8, 16)
        regions = (replace(plan.regions[0], nbytes=beyond.offset + 16),)
        spoiled = replace(plan, choices=choices, regions=regions, scratch={conv: beyond, sink: beyond})
        with pytest.raises(InternalError, match="gathered"):
            verify_plan(spoiled)

    def test_what_a_sink_has_gathered_is_lost(self) -> None:
        plan, sink = sink_plan()
        used_by_others = min(plan.buffers[t].offset for t in (plan.ops[0].x, plan.ops[0].y))
        with pytest.raises(InternalError, match=r"gathered|scratch overlaps|overwritten"):
            verify_plan(replace(plan, scratch={**plan.scratch, sink: Scratch(0, used_by_others, 16)}))

    def test_a_layout_that_was_not_planned(self) -> None:
        op = self.plan.ops[0]
        strange = replace(self.plan.choices[op], layout_out=Layout.PLANES16)
        with pytest.raises(InternalError, match="layouts"):
            verify_alignment(replace(self.plan, choices={**self.plan.choices, op: strange}))

    def test_a_row_step_that_breaks_alignment(self) -> None:
        op = self.plan.ops[1]
        strict = replace(self.plan, choices={**self.plan.choices, op: replace(self.plan.choices[op], alignment=8)})
        odd = broken(strict, self.ring, row_step=self.ring_buffer().row_step + 4, offset=0)
        with pytest.raises(InternalError, match=r"aligned to 8|inside a pixel"):
            verify_alignment(odd)

    def test_misalignment(self) -> None:
        op = self.plan.ops[0]
        strict = replace(self.plan, choices={**self.plan.choices, op: replace(self.plan.choices[op], alignment=64)})
        with pytest.raises(InternalError, match="aligned to 64"):
            verify_alignment(broken(strict, op.x, offset=4))


class SinkTarget(FakeTarget):
    """Its max pools are sinks."""

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        if op.kind == "MAX_POOL_2D":
            return (Candidate("fake", "sink", Form.SINK, scratch_bytes=16, instructions=100_000, call_instructions=10),)
        return super().candidates(op)


def sink_plan() -> tuple[Plan, Op]:
    """A convolution whose rows are gathered as they come."""
    b = Builder()
    graph = b.graph(b.maxpool(b.conv(b.input(1, 8, 8, 2), 4), 8))
    plan = planned(graph, SinkTarget())
    return plan, graph.ops[1]


def test_a_sink_takes_rows_as_they_come() -> None:
    plan, sink = sink_plan()
    assert len(plan.stages) == 1
    calls = [step.completes for step in plan.steps if step.op is sink]
    assert calls == [False] * (len(calls) - 1) + [True]
    assert len(calls) >= 8
    assert plan.arena_bytes <= 8 * 8 * 2 + 8 * 4 + 16 + 4


def addresses(buffer: Buffer, region_of: Tensor) -> list[tuple[int, int, int]]:
    return [(p.offset, p.nbytes, p.position) for p in buffer.pieces(region_of.whole)]


def test_full_and_ring_addresses() -> None:
    tensor = Builder().tensor(1, 3, 4, 2)
    assert addresses(Full(tensor, 0, 100), tensor) == [(100, 8, 0), (108, 8, 8), (116, 8, 16)]
    padded = Ring(tensor, 0, 100, 24, 12)
    assert addresses(padded, tensor) == [(100, 8, 0), (112, 8, 8), (100, 8, 16)]
    assert not padded.wraps
    by_pixel = Ring(tensor, 0, 100, 12, 8, 2)
    assert addresses(by_pixel, tensor) == [(102, 8, 0), (110, 2, 8), (100, 6, 10), (106, 6, 16), (100, 2, 22)]
    assert by_pixel.wraps


def test_every_way_of_the_search_is_offered_once() -> None:
    ways = by_parts([Taste.FAST, Taste.FRUGAL])
    assert len(ways) == len(set(ways))
