"""How one operator is cut into calls: which bytes each call writes, and which bytes of each input it reads.

Bytes are counted from the beginning of a tensor, in the order of its rows; a call touches everything between
the first and the last byte of its range. Ranges grow from call to call, or shrink if the stage runs upwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..graph import Array, Op, Part, Region, Run, Span, Tensor
from ..target import Candidate, Form
from .plan import Step

NEVER = 1 << 60
GRAINS = (4, 2)
AT_ONCE = 0  # strip height: the whole tensor


@dataclass(frozen=True)
class Mode:
    """How a stage is walked through."""

    rows: int = AT_ONCE  # that a call computes
    chunks: int = 1  # parts into which a row is cut; only with one row at a time
    upwards: bool = False  # from the last row to the first
    runs: bool = False  # pointwise operators take runs of pixels where rows leave some over; parts of rows always do

    def __str__(self) -> str:
        height = "at once" if self.rows == AT_ONCE else f"rows of {self.rows}" if self.rows > 1 else "by row"
        parts = f", {self.chunks} parts each" if self.chunks > 1 else ""
        return f"{height}{parts}{', in runs' if self.runs else ''}{', upwards' if self.upwards else ''}"


@dataclass(frozen=True, eq=False)
class Walk:
    """The calls of one operator in one mode."""

    op: Op
    steps: tuple[Step, ...]
    upwards: bool
    _calls_before: dict[tuple[Walk, int], list[int]] = field(default_factory=dict, init=False, repr=False)

    @property
    def calls(self) -> int:
        return len(self.steps)

    @cached_property
    def writes(self) -> Array:
        """[calls, 2]: first byte and the byte after the last, of the output."""
        if not self.op.outputs:
            return np.zeros((self.calls, 2), np.int64)
        return _ranges(self.op.y, [step.written for step in self.steps])

    @cached_property
    def reads(self) -> tuple[Array | None, ...]:
        """The same for each input that is computed at run time."""
        return tuple(
            None if t is None or t.is_constant else _ranges(t, [step.read(i) for step in self.steps])
            for i, t in enumerate(self.op.inputs)
        )

    @cached_property
    def progress(self) -> Array:
        """After each call, how far the output has come, as a number that only grows."""
        if self.upwards:
            return np.maximum.accumulate(-np.where(_filled(self.writes), self.writes[:, 0], self.op.y.nbytes))
        return np.maximum.accumulate(self.writes[:, 1])

    @cached_property
    def oldest(self) -> tuple[Array | None, ...]:
        """The first byte of each input that a call, or one after it, reads."""
        return tuple(None if r is None else _still_needed(r) for r in self.reads)

    @cached_property
    def newest(self) -> tuple[int, ...]:
        """The byte behind the last of each input that any call reads."""
        return tuple(0 if r is None else int(r[:, 1].max(initial=0)) for r in self.reads)

    def calls_before(self, producer: Walk, index: int) -> list[int]:
        """How many calls of the producer of input `index` must have run before each call of this operator."""
        if (producer, index) not in self._calls_before:
            self._calls_before[producer, index] = self._count_calls(producer, index)
        return self._calls_before[producer, index]

    def _count_calls(self, producer: Walk, index: int) -> list[int]:
        ranges = self.reads[index]
        assert ranges is not None
        wanted = -ranges[:, 0] if self.upwards else ranges[:, 1]
        calls = np.searchsorted(producer.progress, wanted, "left") + 1
        found = np.maximum.accumulate(np.where(_filled(ranges), np.minimum(calls, producer.calls), 0))
        return [int(n) for n in found]


def make_walk(op: Op, choice: Candidate, mode: Mode) -> Walk:
    sink = choice.form is Form.SINK
    walked = op.x if sink else op.y
    if mode.rows == AT_ONCE or choice.form is Form.WHOLE:
        regions: list[Part] = [walked.whole]
    elif run := run_pixels(op, choice, mode):
        regions = list(_runs(walked, run))
    else:
        chunks = mode.chunks if choice.splits_rows else 1
        regions = list(_chunks(walked, chunks) if chunks > 1 else _strips(walked, mode.rows))
    if mode.upwards:
        regions = [_mirrored(walked, region) for region in regions]
    return Walk(op, tuple(Step(op, region, sink) for region in regions), mode.upwards)


class CallCount(NamedTuple):
    """Of a walk, without making it."""

    calls: int
    parts: int = 0  # calls that go on with a row
    runs: bool = False


def call_count(op: Op, choice: Candidate, mode: Mode) -> CallCount:
    walked = (op.x if choice.form is Form.SINK else op.y).image
    if mode.rows == AT_ONCE or choice.form is Form.WHOLE:
        return CallCount(1)
    if run := run_pixels(op, choice, mode):
        return CallCount(-(-walked.rows * walked.columns // run), runs=True)
    if mode.chunks > 1 and choice.splits_rows:
        parts = len(_cuts(walked.columns, mode.chunks)) - 1
        return CallCount(walked.rows * parts, walked.rows * (parts - 1))
    return CallCount(-(-walked.rows // mode.rows))


def run_pixels(op: Op, choice: Candidate, mode: Mode) -> int:
    """The pixels of a run, where rows or their parts would leave some over; 0 if they come out even."""
    if not choice.run_pixels:
        return 0
    columns, grain = op.y.image.columns, choice.run_pixels
    if not (mode.runs or mode.chunks > 1) or columns % (grain * mode.chunks) == 0 or op.y.image.rows == 1:
        return 0
    return max(grain, columns * mode.rows // mode.chunks // grain * grain)


def _runs(tensor: Tensor, pixels: int) -> Iterator[Run]:
    total = tensor.image.rows * tensor.image.columns
    return (Run(first, min(first + pixels, total)) for first in range(0, total, pixels))


def _strips(tensor: Tensor, height: int) -> Iterator[Region]:
    rows = tensor.image.rows
    return (Region(Span(r, min(r + height, rows)), tensor.whole.columns) for r in range(0, rows, height))


def _chunks(tensor: Tensor, chunks: int) -> Iterator[Region]:
    cuts = _cuts(tensor.image.columns, chunks)
    for row in range(tensor.image.rows):
        for start, stop in pairwise(cuts):
            yield Region(Span(row, row + 1), Span(start, stop))


def _cuts(columns: int, chunks: int) -> list[int]:
    """Where a row is cut: at multiples of 4 or 2, which kernels compute at a time, if parts are wide enough."""
    grain = next((g for g in GRAINS if columns >= g * chunks), 1)
    return sorted({0, columns, *(round(columns * j / chunks / grain) * grain for j in range(1, chunks))})


def _mirrored(tensor: Tensor, region: Part) -> Part:
    """As far from the last pixel as it is from the first."""
    if isinstance(region, Run):
        total = tensor.image.rows * tensor.image.columns
        return Run(total - region.stop, total - region.start)
    (first, last), (start, stop), image = region.rows, region.columns, tensor.image
    return Region(Span(image.rows - last, image.rows - first), Span(image.columns - stop, image.columns - start))


def _ranges(tensor: Tensor, parts: Iterable[Part]) -> Array:
    found = [_pixels(part, tensor.image.columns) for part in parts]
    return np.array(found, np.int64).reshape(-1, 2) * tensor.pixel_bytes


def _pixels(part: Part, columns: int) -> tuple[int, int]:
    """Number of the first pixel, and of the one behind the last."""
    if isinstance(part, Run):
        return part
    (first, last), (start, stop) = part
    return (first * columns + start, (last - 1) * columns + stop) if last > first and stop > start else (0, 0)


def _still_needed(ranges: Array) -> Array:
    low = np.where(_filled(ranges), ranges[:, 0], NEVER)
    return np.asarray(np.minimum.accumulate(low[::-1])[::-1])


def _filled(ranges: Array) -> Array:
    return np.asarray(ranges[:, 1] > ranges[:, 0])
