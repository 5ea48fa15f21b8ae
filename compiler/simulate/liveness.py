"""From which call to which call every byte is needed, worked out from operators and steps alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import gcd

import numpy as np

from ..graph import Array, Op, Part, Region, Run, Span, Tensor
from ..planner.plan import Buffer, Full, Plan

BEFORE = -1  # before the first call
NEVER = -2


@dataclass(frozen=True)
class Place:
    """Contiguous bytes of a memory region."""

    region: int
    offset: int
    nbytes: int


@dataclass(frozen=True)
class Life:
    """Bytes that call `birth` writes and call `death` is the last to read; scratch belongs to no tensor.

    `span` are bytes of the tensor, counted from its first one.
    """

    tensor: Tensor | None
    span: Span
    birth: int
    death: int
    places: tuple[Place, ...]


def lives(plan: Plan) -> Iterator[Life]:
    """Everything that has memory; views are counted with what they show."""
    yield from _Values(plan).lives()
    yield from _scratch_lives(plan)


class _Values:
    """The call that wrote each value and the last one that read it, by units: what source and views have in common."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._sources = view_sources(plan)
        self._unit = {t: t.pixel_bytes for t in plan.buffers}
        for view, source in self._sources.items():
            self._unit[source] = gcd(self._unit.get(source, 0), view.pixel_bytes)
        self._birth: dict[Tensor, Array] = {}
        self._death: dict[Tensor, Array] = {}
        self._past: list[Life] = []

    def lives(self) -> Iterator[Life]:
        graph, steps = self._plan.graph, self._plan.steps
        for tensor in graph.inputs:
            self._write(tensor, tensor.whole, BEFORE)
        for number, step in enumerate(steps):
            for _, tensor, region in step.reads:
                self._read(tensor, region, number)
            for tensor in step.op.outputs:
                self._write(tensor, step.written, number)
        for tensor in graph.outputs:
            self._read(tensor, tensor.whole, len(steps))
        yield from self._past
        for tensor, birth in self._birth.items():
            yield from self._runs(tensor, slice(0, len(birth)))

    def _write(self, tensor: Tensor, region: Part, number: int) -> None:
        if tensor not in self._birth:
            self._birth[tensor] = np.full(tensor.nbytes // self._unit[tensor], NEVER, np.int32)
            self._death[tensor] = self._birth[tensor].copy()
        for units in self._units(tensor, tensor, region):
            self._past += self._runs(tensor, units)  # computed a second time: another life
            self._birth[tensor][units] = self._death[tensor][units] = number

    def _read(self, tensor: Tensor, region: Part, number: int) -> None:
        source = self._sources.get(tensor, tensor)
        if source not in self._birth:  # a constant, or read before it is computed
            return
        for units in self._units(source, tensor, region):
            self._death[source][units] = number

    def _units(self, source: Tensor, tensor: Tensor, region: Part) -> Iterator[slice]:
        unit = self._unit[source]
        return (slice(span.start // unit, span.stop // unit) for span in _spans(tensor, region))

    def _runs(self, tensor: Tensor, units: slice) -> Iterator[Life]:
        """Neighbours that live and die together, and lie together."""
        birth, death = self._birth[tensor][units], self._death[tensor][units]
        ends, unit = (np.diff(birth) != 0) | (np.diff(death) != 0), self._unit[tensor]
        buffer = self._plan.buffers[tensor]
        if not isinstance(buffer, Full):
            ends |= np.arange(units.start + 1, units.stop) % (tensor.row_bytes // unit) == 0
        for first, last in pairwise([0, *(np.flatnonzero(ends) + 1).tolist(), len(birth)]):
            if birth[first] != NEVER:
                span = Span((units.start + first) * unit, (units.start + last) * unit)
                yield Life(tensor, span, int(birth[first]), int(death[first]), _places(buffer, span))


def _spans(tensor: Tensor, region: Part) -> Iterator[Span]:
    """The bytes of a part, as far as the tensor has them."""
    if isinstance(region, Run):
        yield Span(region.start * tensor.pixel_bytes, region.stop * tensor.pixel_bytes)
        return
    image, size = tensor.image, tensor.pixel_bytes
    rows = range(max(0, region.rows.start), min(image.rows, region.rows.stop))
    first, last = max(0, region.columns.start), min(image.columns, region.columns.stop)
    if not rows or first >= last:
        return
    if last - first == image.columns:
        yield Span(rows.start * tensor.row_bytes, rows.stop * tensor.row_bytes)
        return
    for row in rows:
        yield Span(row * tensor.row_bytes + first * size, row * tensor.row_bytes + last * size)


def _places(buffer: Buffer, span: Span) -> tuple[Place, ...]:
    """Whole tensors lie in one piece; of rings, the bytes are those of one row, and count as whole pixels."""
    if isinstance(buffer, Full):
        return (Place(buffer.region, buffer.offset + span.start, span.size),)
    tensor = buffer.tensor
    row, size = span.start // tensor.row_bytes, tensor.pixel_bytes
    first, last = span.start - row * tensor.row_bytes, span.stop - row * tensor.row_bytes
    region = Region(Span(row, row + 1), Span(first // size, -(-last // size)))
    return tuple(Place(buffer.region, piece.offset, piece.nbytes) for piece in buffer.pieces(region))


def _scratch_lives(plan: Plan) -> Iterator[Life]:
    """Forgotten after each call, but a sink hands its sums on to its next one."""
    calls: dict[Op, list[int]] = {}
    for number, step in enumerate(plan.steps):
        if step.op in plan.scratch:
            calls.setdefault(step.op, []).append(number)
    for op, numbers in calls.items():
        scratch = plan.scratch[op]
        places = (Place(scratch.region, scratch.offset, scratch.nbytes),)
        sums = plan.steps[numbers[0]].sink
        for birth, following in zip(numbers, [*numbers[1:], numbers[-1]], strict=True):
            yield Life(None, Span(0, 0), birth, following if sums else birth, places)


def view_sources(plan: Plan) -> Mapping[Tensor, Tensor]:
    sources: dict[Tensor, Tensor] = {}
    for op in plan.graph.ops:
        if op.is_view:
            sources[op.y] = sources.get(op.x, op.x)
    return sources
