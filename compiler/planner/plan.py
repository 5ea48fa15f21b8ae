"""What the planner decides: stages, steps, the place of every tensor, one Candidate per operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple, TypeAlias

from ..graph import Graph, Op, Part, Region, Run, Span, Tensor
from ..target import Candidate, Layout


class Piece(NamedTuple):
    """Bytes of a tensor that lie in a row: `position` is the first of them, counted from the tensor's first byte."""

    offset: int
    nbytes: int
    position: int


@dataclass(frozen=True)
class Full:
    """A whole tensor in memory. Views and in-place results share the place of their source."""

    tensor: Tensor
    region: int
    offset: int
    layout: Layout = Layout.NHWC8

    @property
    def nbytes(self) -> int:
        return self.tensor.nbytes

    @property
    def row_step(self) -> int:
        return self.tensor.row_bytes

    def pieces(self, wanted: Part) -> Iterator[Piece]:
        """Where the pixels of a part lie."""
        size = self.tensor.pixel_bytes
        for rows, columns in self.tensor.rectangles(wanted):
            for row in range(*rows):
                position = row * self.row_step + columns.start * size
                yield Piece(self.offset + position, columns.size * size, position)


@dataclass(frozen=True)
class Ring:
    """The pixels of a tensor that are still needed, inside a stage.

    Row r begins at byte (r * row_step + shift) modulo nbytes. An operator that works in place shares
    the ring of its input: same bytes, another step and shift.
    """

    tensor: Tensor
    region: int
    offset: int
    nbytes: int
    row_step: int
    shift: int = 0
    layout: Layout = Layout.NHWC8

    @property
    def wraps(self) -> bool:
        """May a row run over the end and go on at the beginning?"""
        starts = {(row * self.row_step + self.shift) % self.nbytes for row in range(self.tensor.image.rows)}
        return max(starts) + self.tensor.row_bytes > self.nbytes

    def pieces(self, wanted: Part) -> Iterator[Piece]:
        """Where the pixels of a part lie; a row that wraps has two pieces."""
        for rows, columns in self.tensor.rectangles(wanted):
            for row in range(*rows):
                yield from self._pieces(row, columns)

    def _pieces(self, row: int, columns: Span) -> Iterator[Piece]:
        size = self.tensor.pixel_bytes
        position = row * self.tensor.row_bytes + columns.start * size
        place = (row * self.row_step + self.shift + columns.start * size) % self.nbytes
        count = min(columns.size * size, self.nbytes - place)
        yield Piece(self.offset + place, count, position)
        if count < columns.size * size:
            yield Piece(self.offset, columns.size * size - count, position + count)


Buffer: TypeAlias = Full | Ring


def share_place(source: Buffer, result: Buffer) -> bool:
    """The same ring, or two whole tensors from the same byte on."""
    together = (source.region, source.offset) == (result.region, result.offset)
    whole = isinstance(source, Full) and isinstance(result, Full)
    return together and (whole or source.nbytes == result.nbytes)


@dataclass(frozen=True)
class Scratch:
    """Working memory of one kernel, live only during its calls."""

    region: int
    offset: int
    nbytes: int


NOTHING = Region(Span(0, 0), Span(0, 0))


class Unit(Enum):
    """What the calls of an operator count, and with which arguments its function is called."""

    ROWS = "first, last"
    PARTS = "row, from, to"  # of one row
    PIXELS = "first, last pixel"  # in the order of rows


@dataclass(frozen=True)
class Step:
    """One kernel call: `op` works on some rows, on a part of one row, or on a run of pixels.

    The part is one of the output; of the input where the kernel is a sink, which gives its output (if it has one)
    with the last of its steps. A run is the same pixels of input and output.
    """

    op: Op
    region: Part
    sink: bool = False

    @property
    def walked(self) -> Tensor:
        """The tensor of which the region is a part."""
        return self.op.x if self.sink else self.op.y

    @property
    def unit(self) -> Unit:
        if isinstance(self.region, Run):
            return Unit.PIXELS
        return Unit.ROWS if self.region.columns == self.walked.whole.columns else Unit.PARTS

    @property
    def completes(self) -> bool:
        """Is the output all there afterwards? Only of interest for sinks."""
        assert isinstance(self.region, Region)
        return self.region.rows.stop == self.op.x.image.rows and self.region.columns.stop == self.op.x.image.columns

    @property
    def written(self) -> Part:
        """The part of the output that this call gives."""
        if not self.sink:
            return self.region
        if not self.op.outputs:
            return NOTHING
        whole = self.op.y.whole
        return whole if self.completes else Region(Span(0, 0), whole.columns)

    def read(self, index: int) -> Part:
        """The part of activation `index` that this call reads."""
        return self.region if self.sink or isinstance(self.region, Run) else self.op.window(index, self.region)

    @property
    def reads(self) -> Iterator[tuple[int, Tensor, Part]]:
        """Of each input that is computed at run time its index and the part of it that this call reads."""
        for index, tensor in enumerate(self.op.inputs):
            if tensor is not None and not tensor.is_constant:
                yield index, tensor, self.read(index)


@dataclass(frozen=True)
class Stage:
    """Operators executed together, strip by strip. One operator: ordinary layer-by-layer."""

    ops: tuple[Op, ...]
    steps: tuple[Step, ...]

    @property
    def streamed(self) -> bool:
        return len(self.ops) > 1


@dataclass(frozen=True)
class RegionUse:
    """How much of one memory the plan takes."""

    memory: str
    nbytes: int


@dataclass(frozen=True)
class Plan:
    """Everything a backend needs to lower a graph. Views appear in `graph` but in no stage."""

    graph: Graph
    stages: tuple[Stage, ...]
    choices: Mapping[Op, Candidate]
    buffers: Mapping[Tensor, Buffer]
    scratch: Mapping[Op, Scratch]
    regions: tuple[RegionUse, ...]
    lower_bound: int  # no placement of these stages can be smaller
    live_bytes: tuple[int, ...]  # by stage

    @property
    def arena_bytes(self) -> int:
        return sum(region.nbytes for region in self.regions)

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """The operators that compute, in the order of the generated code."""
        return tuple(op for stage in self.stages for op in stage.ops)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for stage in self.stages for step in stage.steps)

    @cached_property
    def units(self) -> Mapping[Op, Unit]:
        """An operator that is ever called for a part of a row is always called so."""
        found: dict[Op, Unit] = {}
        for step in self.steps:
            if found.get(step.op) is not Unit.PARTS:
                found[step.op] = step.unit
        return found

    def layer_name(self, op: Op) -> str:
        """`L07_dw`: the operator's name in generated code, reports and profiles."""
        return f"L{self._numbers[op]:02d}_{op.short}"

    @cached_property
    def _numbers(self) -> Mapping[Op, int]:
        return {op: number for number, op in enumerate(self.ops)}
