"""An independent validator: replays a plan's steps over an arena whose every byte knows what it holds.

It shares nothing with the planner but the Plan itself, and runs in every compilation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import InternalError
from ..graph import Array, Op, Part, Region, Run, Tensor
from ..target import Form
from .plan import Buffer, Full, Piece, Plan, Ring, Scratch, Step, Unit

POSITION_BITS = 40  # a byte's tag is (number of its owner << 40) + its position there
GARBAGE = -1


def verify_plan(plan: Plan) -> None:
    """Every pixel is intact when read, nothing leaves its region, kernels overwrite only what they may."""
    _Replay(plan).run()


class _Replay:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.memory = [np.full(region.nbytes, GARBAGE, np.int64) for region in plan.regions]
        self.tags: dict[object, int] = {}
        for owner in (*plan.graph.tensors, *plan.ops):
            self.tags[owner] = len(self.tags) << POSITION_BITS
        for op in plan.graph.ops:
            if op.is_view:
                self.tags[op.y] = self.tags[op.x]
        self.gathering: set[Op] = set()  # sinks between their first and their last call

    def run(self) -> None:
        for tensor in self.plan.graph.inputs:
            self.write(tensor, tensor.whole, "the input")
        for step in self.plan.steps:
            self.step(step)
        for tensor in self.plan.graph.outputs:
            if not tensor.is_constant:
                self.read(tensor, tensor.whole, "the caller")

    def step(self, step: Step) -> None:
        who = f"{step.op.label} {_name(step.region)}"
        for index, tensor, read in step.reads:
            self.read(tensor, read, who)
            for result in step.op.outputs:
                self.keep_apart(index, tensor, result, step, who)
        if step.op in self.plan.scratch:
            self.take_scratch(step, self.plan.scratch[step.op], who)
        for tensor in step.op.outputs:
            self.write(tensor, step.written, who)

    def read(self, tensor: Tensor, wanted: Part, who: str) -> None:
        for piece in self.pieces(tensor, wanted, who):
            if not np.array_equal(self.bytes(tensor, piece), self.expected(tensor, piece)):
                raise InternalError(f"{who} reads {_name(wanted)} of {tensor.name}, of which something was overwritten")

    def write(self, tensor: Tensor, region: Part, who: str) -> None:
        for piece in self.pieces(tensor, region, who):
            self.bytes(tensor, piece)[:] = self.expected(tensor, piece)

    def keep_apart(self, index: int, x: Tensor, y: Tensor, step: Step, who: str) -> None:
        """What a call writes must not lie on what it reads, but where its kernel is made for that."""
        read = step.read(index)
        for piece in self.pieces(y, step.written, who):
            position = self.bytes(y, piece) - self.tags[x]
            hit = np.flatnonzero(_inside(position, x, read))
            if hit.size and not self.may_overwrite(index, step, position[hit], piece.position + hit):
                raise InternalError(f"{who} overwrites its own input {x.name}")

    def may_overwrite(self, index: int, step: Step, old: Array, new: Array) -> bool:
        """`old` bytes of the input make way for `new` bytes of the output."""
        choice, x, y = self.plan.choices[step.op], step.op.inputs[index], step.op.y
        assert x is not None
        if index in choice.in_place and choice.form is Form.WHOLE:
            source, result = self.plan.buffers[x], self.plan.buffers[y]
            together = isinstance(source, Full) and isinstance(result, Full) and source.offset == result.offset
            return together and y.nbytes <= x.nbytes
        if index in choice.in_place:
            return bool((old == new).all())
        if index in choice.places:
            return bool((old + choice.places[index] == new).all())
        one_row = isinstance(step.region, Region) and step.region.rows.size == 1 and x.pixel_bytes == y.pixel_bytes
        return index in choice.by_channel and one_row and bool(((old - new) % x.pixel_bytes == 0).all())

    def take_scratch(self, step: Step, scratch: Scratch, who: str) -> None:
        op, choice = step.op, self.plan.choices[step.op]
        memory = self.memory[scratch.region]
        if scratch.offset % choice.scratch_alignment or scratch.nbytes < choice.scratch_bytes:
            raise InternalError(f"{who}: scratch at {scratch.offset} is misaligned or too small")
        if scratch.offset < 0 or scratch.offset + scratch.nbytes > len(memory):
            raise InternalError(f"{who}: scratch leaves the arena")
        room = memory[scratch.offset : scratch.offset + scratch.nbytes]
        touched = [(x, read) for _, x, read in step.reads] + [(y, step.written) for y in op.outputs]
        for tensor, region in touched:
            if any(_meets(scratch, p, self.plan.buffers[tensor]) for p in self.pieces(tensor, region, who)):
                raise InternalError(f"{who}: scratch overlaps {tensor.name}")
        mine = self.tags[op] + np.arange(scratch.nbytes)
        if op in self.gathering and not np.array_equal(room, mine):
            raise InternalError(f"{who}: what it had gathered in scratch was overwritten")
        room[:] = mine if step.sink else GARBAGE
        if step.sink:
            (self.gathering.discard if step.completes else self.gathering.add)(op)

    def pieces(self, tensor: Tensor, region: Part, who: str) -> Iterator[Piece]:
        """Where the bytes lie, after checking that they are inside."""
        buffer = self.plan.buffers[tensor]
        for piece in buffer.pieces(region):
            if piece.offset < buffer.offset or piece.offset + piece.nbytes > buffer.offset + buffer.nbytes:
                raise InternalError(
                    f"{who}: row {piece.position // tensor.row_bytes} of {tensor.name} leaves its buffer"
                )
            if piece.offset < 0 or piece.offset + piece.nbytes > len(self.memory[buffer.region]):
                raise InternalError(f"{who}: {tensor.name} leaves the arena")
            yield piece

    def bytes(self, tensor: Tensor, piece: Piece) -> Array:
        return self.memory[self.plan.buffers[tensor].region][piece.offset : piece.offset + piece.nbytes]

    def expected(self, tensor: Tensor, piece: Piece) -> Array:
        first = self.tags[tensor] + piece.position
        return np.arange(first, first + piece.nbytes)


def verify_alignment(plan: Plan) -> None:
    """Every pointer that a kernel receives is aligned as its Candidate asks, every buffer laid out so."""
    for op in plan.ops:
        choice = plan.choices[op]
        wanted = {*choice.layouts_in, choice.layout_out}
        if wanted != {plan.buffers[t].layout for t in (*op.activations, *op.outputs)}:
            raise InternalError(f"{op.label} asks for layouts {sorted(w.value for w in wanted)}, which are not planned")
        chunked = plan.units[op] is not Unit.ROWS
        for tensor, needed in choice.alignments(op):
            buffer = plan.buffers[tensor]
            if any(distance % needed for distance in _distances(buffer, chunked)):
                raise InternalError(f"{op.label} needs {tensor.name} aligned to {needed} bytes")
            if isinstance(buffer, Ring) and buffer.wraps and _cuts_pixels(buffer):
                raise InternalError(f"{op.label}: the ring of {tensor.name} ends inside a pixel")


def _name(part: Part) -> str:
    if isinstance(part, Run):
        return f"pixels {part.start}:{part.stop}"
    return f"rows {part.rows.start}:{part.rows.stop}"


def _cuts_pixels(ring: Ring) -> bool:
    return any(distance % ring.tensor.pixel_bytes for distance in (ring.nbytes, ring.shift, ring.row_step))


def _distances(buffer: Buffer, chunked: bool) -> list[int]:
    """From address 0 to the buffer, from row to row, and from pixel to pixel where rows are cut."""
    found = [buffer.offset]
    if buffer.tensor.image.rows > 1:
        found.append(buffer.row_step)
    if isinstance(buffer, Ring):
        found += [buffer.shift, buffer.nbytes]
    return [*found, buffer.tensor.pixel_bytes] if chunked else found


def _inside(position: Array, tensor: Tensor, region: Part) -> Array:
    """Which positions are bytes of the tensor, and in the region?"""
    if isinstance(region, Run):
        return np.asarray(
            (position >= region.start * tensor.pixel_bytes) & (position < region.stop * tensor.pixel_bytes)
        )
    row, column = position // tensor.row_bytes, position % tensor.row_bytes // tensor.pixel_bytes
    rows = (row >= region.rows.start) & (row < region.rows.stop)
    columns = (column >= region.columns.start) & (column < region.columns.stop)
    return np.asarray((position >= 0) & (position < tensor.nbytes) & rows & columns)


def _meets(scratch: Scratch, piece: Piece, buffer: Buffer) -> bool:
    apart = piece.offset >= scratch.offset + scratch.nbytes or scratch.offset >= piece.offset + piece.nbytes
    return buffer.region == scratch.region and not apart
