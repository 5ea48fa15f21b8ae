"""The simplest correct plans, for tests of kernels: no sharing of memory unless asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tecompile.graph import Graph, Op, Tensor
from tecompile.planner.plan import Buffer, Full, Plan, RegionUse, Ring, Scratch, Stage, Step
from tecompile.target import Candidate, Form, Target

GAP = 16  # bytes between buffers, where a test finds what a kernel should not have written


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


def plain_plan(graph: Graph, choose: Callable[[Op], Candidate], in_place: bool = False, strip: int = 0) -> Plan:
    """One stage for each operator, every tensor whole; `strip` rows at a time where the kernel can (0: all)."""
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
    stages = tuple(Stage((op,), _strips(op, choices[op], strip)) for op in ops)
    return Plan(graph, stages, choices, buffers, scratch, (RegionUse("ram", allocator.used),), 0, ())


def streamed_plan(
    graph: Graph, choose: Callable[[Op], Candidate], steps: Sequence[Step], slots: Mapping[Tensor, int], pad: int = 0
) -> Plan:
    """One stage; the tensors in `slots` live in rings of so many rows, each `pad` bytes longer than needed."""
    choices = {op: choose(op) for op in graph.ops}
    allocator = Allocator()
    buffers: dict[Tensor, Buffer] = {}
    for t in (*graph.inputs, *(t for op in graph.ops for t in op.outputs)):
        if t in slots:
            slot = t.row_bytes + pad
            buffers[t] = Ring(t, 0, allocator.take(slots[t] * slot), slots[t], slot)
        else:
            buffers[t] = _full(t, allocator)
    stage = Stage(graph.ops, tuple(steps))
    regions = (RegionUse("ram", 0),)
    scratch = _scratch(choices, allocator)
    return Plan(graph, (stage,), choices, buffers, scratch, (RegionUse(regions[0].memory, allocator.used),), 0, ())


def pull_steps(graph: Graph, rows: int) -> list[Step]:
    """Produce the output `rows` at a time, every other tensor as late as possible, row by row."""
    producers, done, steps = graph.producers(), dict.fromkeys(graph.tensors, 0), list[Step]()

    def need(tensor: Tensor, stop: int, strip: int) -> None:
        op = producers.get(tensor)
        while op is not None and done[tensor] < stop:
            first = done[tensor]
            last = min(first + strip, tensor.image.rows)
            for index, source in enumerate(op.inputs):
                if source is not None and not source.is_constant:
                    region = tensor.whole._replace(rows=tensor.whole.rows._replace(start=first, stop=last))
                    need(source, op.window(index, region).rows.stop, 1)
            steps.append(Step(op, first, last))
            done[tensor] = last

    for tensor in graph.outputs:
        need(tensor, tensor.image.rows, rows)
    return steps


def _full(tensor: Tensor, allocator: Allocator) -> Full:
    return Full(tensor, 0, allocator.take(tensor.nbytes))


def _scratch(choices: Mapping[Op, Candidate], allocator: Allocator) -> dict[Op, Scratch]:
    return {
        op: Scratch(0, allocator.take(c.scratch_bytes, c.scratch_alignment), c.scratch_bytes)
        for op, c in choices.items()
        if c.scratch_bytes
    }


def _strips(op: Op, candidate: Candidate, strip: int) -> tuple[Step, ...]:
    rows = op.y.image.rows
    step = strip if strip and candidate.form is Form.STRIP else rows
    return tuple(Step(op, first, min(first + step, rows)) for first in range(0, rows, max(step, 1)))
