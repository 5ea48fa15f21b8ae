"""An independent validator: replays a plan's steps over an arena whose every byte knows what it holds.

It shares nothing with the planner but the Plan itself, and runs in every compilation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import InternalError
from ..graph import Array, Op, Region, Span, Tensor
from .plan import Full, Plan, Scratch, Step

POSITION_BITS = 40  # a byte's tag is (tensor number << 40) + its position in that tensor
GARBAGE = -1


def verify_plan(plan: Plan) -> None:
    """Every row is intact when read, nothing leaves its region, every pointer is aligned."""
    _Replay(plan).run()


class _Replay:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.memory = [np.full(region.nbytes, GARBAGE, np.int64) for region in plan.regions]
        self.tags: dict[Tensor, int] = {}
        for tensor in plan.graph.tensors:
            self.tags[tensor] = len(self.tags) << POSITION_BITS
        for op in plan.graph.ops:
            if op.is_view:
                self.tags[op.y] = self.tags[op.x]

    def run(self) -> None:
        for tensor in self.plan.graph.inputs:
            self.write(tensor, 0, tensor.image.rows, "the input")
        for step in self.plan.steps:
            self.step(step)
        for tensor in self.plan.graph.outputs:
            self.read(tensor, Span(0, tensor.image.rows), "the caller")

    def step(self, step: Step) -> None:
        op, choice = step.op, self.plan.choices[step.op]
        who = f"{op.label} rows {step.first}:{step.last}"
        for index, tensor in self._activations(op):
            rows = op.window(index, Region(Span(step.first, step.last), op.y.whole.columns)).rows
            self.read(tensor, rows, who)
            if index not in choice.in_place or not self.in_one_place(tensor, op.y):
                self.keep_apart(tensor, rows, step, who)
        if op in self.plan.scratch:
            self.take_scratch(op, self.plan.scratch[op], who)
        for tensor in op.outputs:
            self.write(tensor, step.first, step.last, who)

    def read(self, tensor: Tensor, rows: Span, who: str) -> None:
        for row in range(rows.start, rows.stop):
            expected = self.tags[tensor] + row * tensor.row_bytes + np.arange(tensor.row_bytes)
            if not np.array_equal(self.row(tensor, row, who), expected):
                raise InternalError(f"{who} reads row {row} of {tensor.name}, which was overwritten")

    def write(self, tensor: Tensor, first: int, last: int, who: str) -> None:
        for row in range(first, last):
            self.row(tensor, row, who)[:] = self.tags[tensor] + row * tensor.row_bytes + np.arange(tensor.row_bytes)

    def in_one_place(self, source: Tensor, result: Tensor) -> bool:
        """What in-place kernels need: both whole, from the same byte on, the result not larger."""
        x, y = self.plan.buffers[source], self.plan.buffers[result]
        same = (x.region, x.offset) == (y.region, y.offset) and result.nbytes <= source.nbytes
        return same and isinstance(x, Full) and isinstance(y, Full)

    def keep_apart(self, tensor: Tensor, rows: Span, step: Step, who: str) -> None:
        """Unless the kernel works in place, what it writes must not touch what it reads."""
        buffer = self.plan.buffers[tensor]
        reads = [(buffer.region, buffer.row_offset(r), tensor.row_bytes) for r in range(rows.start, rows.stop)]
        for output in step.op.outputs:
            place = self.plan.buffers[output]
            writes = [(place.region, place.row_offset(r), output.row_bytes) for r in range(step.first, step.last)]
            if _overlap(reads, writes):
                raise InternalError(f"{who} overwrites its own input {tensor.name}")

    def take_scratch(self, op: Op, scratch: Scratch, who: str) -> None:
        choice = self.plan.choices[op]
        memory = self.memory[scratch.region]
        if scratch.offset % choice.scratch_alignment or scratch.nbytes < choice.scratch_bytes:
            raise InternalError(f"{who}: scratch at {scratch.offset} is misaligned or too small")
        if scratch.offset < 0 or scratch.offset + scratch.nbytes > len(memory):
            raise InternalError(f"{who}: scratch leaves the arena")
        for tensor in (*op.activations, *op.outputs):
            buffer = self.plan.buffers[tensor]
            mine, theirs = (
                (scratch.region, scratch.offset, scratch.nbytes),
                (buffer.region, buffer.offset, buffer.nbytes),
            )
            if _overlap([mine], [theirs]):
                raise InternalError(f"{who}: scratch overlaps {tensor.name}")
        memory[scratch.offset : scratch.offset + scratch.nbytes] = GARBAGE

    def row(self, tensor: Tensor, row: int, who: str) -> Array:
        """The bytes of one row, after checking where they lie."""
        buffer = self.plan.buffers[tensor]
        offset, memory = buffer.row_offset(row), self.memory[buffer.region]
        if offset < 0 or offset + tensor.row_bytes > len(memory):
            raise InternalError(f"{who}: row {row} of {tensor.name} leaves the arena")
        return memory[offset : offset + tensor.row_bytes]

    def _activations(self, op: Op) -> Iterator[tuple[int, Tensor]]:
        return ((i, t) for i, t in enumerate(op.inputs) if t is not None and not t.is_constant)


def verify_alignment(plan: Plan) -> None:
    """Every row pointer a kernel receives is aligned as its Candidate asks, every row laid out so."""
    for op in plan.ops:
        choice = plan.choices[op]
        wanted = {*choice.layouts_in, choice.layout_out}
        if wanted != {plan.buffers[t].layout for t in (*op.activations, *op.outputs)}:
            raise InternalError(f"{op.label} asks for layouts {sorted(w.value for w in wanted)}, which are not planned")
        pairs = [(t, choice.alignment) for t in op.activations] + [(t, choice.output_alignment) for t in op.outputs]
        for tensor, needed in pairs:
            buffer = plan.buffers[tensor]
            stride = buffer.slot_bytes if buffer.slots > 1 else 0
            if buffer.offset % needed or stride % needed:
                raise InternalError(f"{op.label} needs {tensor.name} aligned to {needed} bytes")


def _overlap(reads: list[tuple[int, int, int]], writes: list[tuple[int, int, int]]) -> bool:
    return any(
        region == other and offset < start + count and start < offset + size
        for region, offset, size in reads
        for other, start, count in writes
    )
