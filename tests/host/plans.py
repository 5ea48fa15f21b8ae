"""The simplest correct plans, for tests of kernels: no sharing of memory unless asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from tecompile.graph import Graph, Op, Region, Span, Tensor
from tecompile.planner.plan import Buffer, Full, Plan, RegionUse, Scratch, Stage, Step
from tecompile.target import Candidate, Form, Target

from .rings import Spot

GAP = 16  # bytes between buffers, where a test finds what a kernel should not have written

Cutter: TypeAlias = Callable[[Tensor], Sequence[Region]]  # the parts of a tensor, in rising order


class Allocator:
    """Hands out one address after the other."""

    def __init__(self) -> None:
        self.used = GAP

    def take(self, nbytes: int, alignment: int = 8) -> int:
        self.used += -self.used % alignment
        offset = self.used
        self.used += nbytes + GAP
        return offset


def first_candidate(target: Target) -> Callable[[Op], Candidate]:
    return lambda op: target.candidates(op)[0]


def strip_candidate(target: Target) -> Callable[[Op], Candidate]:
    """The first that can be part of a stage."""
    return lambda op: next(c for c in target.candidates(op) if c.form is not Form.WHOLE)


def strips(rows: int = 0) -> Cutter:
    """So many whole rows at a time; 0: all of them."""

    def cut(tensor: Tensor) -> Sequence[Region]:
        size, all_rows = rows or max(tensor.image.rows, 1), tensor.image.rows
        starts = range(0, all_rows, size)
        return [Region(Span(r, min(r + size, all_rows)), tensor.whole.columns) for r in starts]

    return cut


def chunks(rng: np.random.Generator, widest: int = 5) -> Cutter:
    """Rows in parts of any width."""

    def cut(tensor: Tensor) -> Sequence[Region]:
        return [Region(Span(r, r + 1), s) for r in range(tensor.image.rows) for s in spans(tensor.image.columns)]

    def spans(columns: int) -> Sequence[Span]:
        found = [0]
        while found[-1] < columns:
            found.append(min(found[-1] + int(rng.integers(1, widest + 1)), columns))
        return [Span(a, b) for a, b in pairwise(found)]

    return cut


def steps_of(op: Op, candidate: Candidate, cut: Cutter, upwards: bool = False) -> tuple[Step, ...]:
    """All calls of one operator."""
    if candidate.form is Form.WHOLE:
        return (Step(op, op.y.whole),)
    if candidate.form is Form.SINK:
        return tuple(Step(op, region, sink=True) for region in cut(op.x))
    steps = tuple(Step(op, region) for region in cut(op.y))
    return steps[::-1] if upwards else steps


def plain_plan(
    graph: Graph,
    choose: Callable[[Op], Candidate],
    in_place: bool = False,
    cut: Cutter | None = None,
    upwards: bool = False,
) -> Plan:
    """One stage for each operator, every tensor whole."""
    ops = [op for op in graph.ops if not op.is_view]
    choices = {op: choose(op) for op in ops}
    allocator = Allocator()
    buffers: dict[Tensor, Buffer] = {t: _full(t, allocator) for t in graph.inputs}
    for op in graph.ops:
        shared = op.inputs[choices[op].in_place[0]] if in_place and op in choices and choices[op].in_place else None
        shared = op.x if op.is_view else shared
        for t in op.outputs:
            buffers[t] = Full(t, 0, buffers[shared].offset) if shared is not None else _full(t, allocator)
    scratch = _scratch(choices, allocator)
    stages = tuple(Stage((op,), steps_of(op, choices[op], cut or strips(), upwards)) for op in ops)
    return Plan(graph, stages, choices, buffers, scratch, (RegionUse("ram", allocator.used),), 0, ())


def streamed_plan(
    graph: Graph, choices: Mapping[Op, Candidate], steps: Sequence[Step], spots: Sequence[Spot] = ()
) -> Plan:
    """One stage; the tensors in `spots` live in rings, all others are whole."""
    allocator = Allocator()
    buffers: dict[Tensor, Buffer] = {}
    for spot in spots:
        buffers |= spot.rings(allocator.take(spot.nbytes))
    for t in (*graph.inputs, *(t for op in graph.ops for t in op.outputs)):
        if t not in buffers:
            buffers[t] = _full(t, allocator)
    scratch = _scratch(choices, allocator)
    stage = Stage(graph.ops, tuple(steps))
    return Plan(graph, (stage,), choices, buffers, scratch, (RegionUse("ram", allocator.used),), 0, ())


def pull_steps(graph: Graph, choices: Mapping[Op, Candidate], cut: Cutter, upwards: bool = False) -> list[Step]:
    """Produce the outputs part by part, every other tensor as late as possible."""
    producers, steps = graph.producers(), list[Step]()
    waiting = {op: list(steps_of(op, choices[op], cut, upwards))[::-1] for op in graph.ops}

    def covered(op: Op, region: Region) -> bool:
        """Has the last of its steps so far gone beyond?"""
        if not waiting[op] or not region.rows.size or not region.columns.size:
            return True
        following = waiting[op][-1].written
        if upwards:
            return (following.rows.stop - 1, following.columns.stop) <= (region.rows.start, region.columns.start)
        return (following.rows.start, following.columns.start) >= (region.rows.stop - 1, region.columns.stop)

    def pull(op: Op, region: Region) -> None:
        while waiting[op] and (choices[op].form is Form.SINK or not covered(op, region)):
            step = waiting[op].pop()
            for index, source in enumerate(op.inputs):
                if source in producers:
                    pull(producers[source], step.read(index))
            steps.append(step)

    for tensor in graph.outputs:
        pull(producers[tensor], tensor.whole)
    return steps


def _full(tensor: Tensor, allocator: Allocator) -> Full:
    return Full(tensor, 0, allocator.take(tensor.nbytes))


def _scratch(choices: Mapping[Op, Candidate], allocator: Allocator) -> dict[Op, Scratch]:
    return {
        op: Scratch(0, allocator.take(c.scratch_bytes, c.scratch_alignment), c.scratch_bytes)
        for op, c in choices.items()
        if c.scratch_bytes
    }
