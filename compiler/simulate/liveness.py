"""From which call to which call each row of each tensor is needed, worked out from the operators alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..graph import Op, Region, Span, Tensor
from ..planner.plan import Plan, Step

BEFORE = -1  # before the first call


@dataclass(frozen=True)
class LiveRow:
    """The bytes of one row, written by call `birth`, last read by call `death`."""

    tensor: Tensor
    row: int
    region: int
    offset: int
    nbytes: int
    birth: int
    death: int


def live_rows(plan: Plan) -> Iterator[LiveRow]:
    """Every row of every tensor that has memory; views are counted with what they show."""
    births, deaths = _births(plan), _deaths(plan)
    for (tensor, row), birth in births.items():
        buffer = plan.buffers[tensor]
        death = max(birth, deaths.get((tensor, row), BEFORE))
        yield LiveRow(tensor, row, buffer.region, buffer.row_offset(row), buffer.slot_bytes, birth, death)


def written_rows(step: Step, tensor: Tensor) -> range:
    """Which rows of an output one call writes; outputs of other heights come with the last call."""
    if tensor.image.rows == step.op.y.image.rows:
        return range(step.first, step.last)
    return range(tensor.image.rows if step.last == step.op.y.image.rows else 0)


def _births(plan: Plan) -> dict[tuple[Tensor, int], int]:
    births = {(t, row): BEFORE for t in plan.graph.inputs if t in plan.buffers for row in range(t.image.rows)}
    for number, step in enumerate(plan.steps):
        for tensor in step.op.outputs:
            for row in written_rows(step, tensor):
                births.setdefault((tensor, row), number)
    return births


def _deaths(plan: Plan) -> dict[tuple[Tensor, int], int]:
    sources: Mapping[Tensor, Tensor] = _view_sources(plan)
    deaths: dict[tuple[Tensor, int], int] = {}
    for number, step in enumerate(plan.steps):
        for tensor, rows in _read_rows(step):
            source, seen = _behind(sources, tensor, rows)
            deaths.update(((source, row), number) for row in seen)
    for tensor in plan.graph.outputs:
        source, seen = _behind(sources, tensor, range(tensor.image.rows))
        deaths.update(((source, row), len(plan.steps)) for row in seen)
    return deaths


def _read_rows(step: Step) -> Iterator[tuple[Tensor, range]]:
    op = step.op
    wanted = Region(Span(step.first, step.last), op.y.whole.columns)
    for index, tensor in enumerate(op.inputs):
        if tensor is not None and not tensor.is_constant:
            rows = op.window(index, wanted).rows
            yield tensor, range(max(0, rows.start), min(tensor.image.rows, rows.stop))


def _view_sources(plan: Plan) -> Mapping[Tensor, Tensor]:
    sources: dict[Tensor, Tensor] = {}
    for op in plan.graph.ops:
        if op.is_view:
            sources[op.y] = sources.get(op.x, op.x)
    return sources


def _behind(sources: Mapping[Tensor, Tensor], tensor: Tensor, rows: range) -> tuple[Tensor, range]:
    """The rows of the tensor that really holds the values: the same bytes, cut into other rows."""
    source = sources.get(tensor, tensor)
    first, last = rows.start * tensor.row_bytes, rows.stop * tensor.row_bytes
    return source, range(first // source.row_bytes, -(-last // source.row_bytes)) if rows else range(0)


def scratch_of(plan: Plan, op: Op) -> Iterator[tuple[int, int, int]]:
    """Region, offset and size of the kernel's working memory, if it has any."""
    scratch = plan.scratch.get(op)
    if scratch is not None and scratch.nbytes:
        yield scratch.region, scratch.offset, scratch.nbytes
