"""From a stage's list of steps to nested loops: exactly the same calls in the same order, fewer lines.

A repetition is a run of equal patterns of operators in which every number (rows, columns, position)
grows by a constant from one pattern to the next. The longest one becomes a loop; what is before, after
and inside it is treated the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from ..graph import Array, Op, Part, Region, Run, Span
from ..planner.plan import Step

LOOP_LINES = 2  # what a loop costs: its head and its closing brace
NUMBERS = 5  # of a call: rows from and to, columns from and to, position


class Affine(NamedTuple):
    """start + sum of strides[d] * (counter of the loop at depth d)."""

    start: int
    strides: tuple[int, ...] = ()

    def at(self, counters: Sequence[int]) -> int:
        return self.start + sum(s * c for s, c in zip(self.strides, counters, strict=True))

    @property
    def terms(self) -> tuple[tuple[int, int], ...]:
        """(stride, depth) of the loops that matter."""
        return tuple((stride, depth) for depth, stride in enumerate(self.strides) if stride)


class Kernel(NamedTuple):
    """What is called: an operator, and whether its calls name parts of the input, or runs of pixels."""

    op: Op
    sink: bool
    runs: bool


@dataclass(frozen=True)
class StepCall:
    """One call inside `len(first.strides)` loops; `position` counts the plan's steps."""

    kernel: Kernel
    first: Affine  # rows; pixels of a run
    last: Affine
    left: Affine  # columns
    right: Affine
    position: Affine

    @property
    def op(self) -> Op:
        return self.kernel.op

    def step(self, counters: Sequence[int]) -> Step:
        """The step that this call is, inside these turns of the loops."""
        rows = Span(self.first.at(counters), self.last.at(counters))
        if self.kernel.runs:
            return Step(self.op, Run(*rows))
        columns = Span(self.left.at(counters), self.right.at(counters))
        return Step(self.op, Region(rows, columns), self.kernel.sink)


@dataclass(frozen=True)
class Loop:
    """`body` for counter = 0 ... count - 1."""

    depth: int
    count: int
    body: tuple[Item, ...]


Item: TypeAlias = StepCall | Loop


class _Repeat(NamedTuple):
    start: int
    period: int
    times: int

    @property
    def saved(self) -> int:
        return self.period * (self.times - 1) - LOOP_LINES


def compress(steps: Sequence[Step], position: int = 0) -> tuple[Item, ...]:
    """The steps as loops; the first of them is step `position` of the plan."""
    numbers = np.array([(*_arguments(s.region), position + i) for i, s in enumerate(steps)], np.int64)
    kernels = [Kernel(s.op, s.sink, isinstance(s.region, Run)) for s in steps]
    return _compress(kernels, numbers.reshape(-1, NUMBERS, 1))


def _arguments(part: Part) -> tuple[int, int, int, int]:
    return (*part, 0, 0) if isinstance(part, Run) else (*part.rows, *part.columns)


def expand(items: Sequence[Item], counters: tuple[int, ...] = ()) -> Iterator[tuple[int, Step]]:
    """(position, step) in execution order: what the loops do."""
    for item in items:
        if isinstance(item, StepCall):
            yield item.position.at(counters), item.step(counters)
        else:
            for counter in range(item.count):
                yield from expand(item.body, (*counters, counter))


def _compress(kernels: Sequence[Kernel], numbers: Array) -> tuple[Item, ...]:
    """`numbers` is [steps, NUMBERS, 1 + depth]: each number as start and strides."""
    if not kernels:
        return ()
    best = _best_repeat(kernels, numbers[:, :, 0], numbers[:, :, 1:])
    if best is None:
        return tuple(_call(kernel, row) for kernel, row in zip(kernels, numbers, strict=True))
    start, period, count = best
    stop, end = start + period, start + period * count
    strides = numbers[stop : stop + period, :, :1] - numbers[start:stop, :, :1]
    body = np.concatenate([numbers[start:stop], strides], axis=2)
    loop = Loop(numbers.shape[2] - 1, count, _compress(kernels[start:stop], body))
    return (*_compress(kernels[:start], numbers[:start]), loop, *_compress(kernels[end:], numbers[end:]))


def _call(kernel: Kernel, row: Array) -> StepCall:
    return StepCall(kernel, *(Affine(int(r[0]), tuple(int(v) for v in r[1:])) for r in row))


def _best_repeat(kernels: Sequence[Kernel], starts: Array, strides: Array) -> _Repeat | None:
    """The repetition that saves most lines; of equals the one with the shortest pattern, the first."""
    ids = {kernel: i for i, kernel in enumerate(dict.fromkeys(kernels))}
    keys = np.concatenate([np.array([[ids[k]] for k in kernels]), strides.reshape(len(kernels), -1)], axis=1)
    found = (_repeat(keys, starts, period) for period in range(1, len(kernels) // 2 + 1))
    best = max((r for r in found if r is not None), key=lambda r: r.saved, default=None)
    return best if best is not None and best.saved > 0 else None


def _repeat(keys: Array, starts: Array, period: int) -> _Repeat | None:
    """The longest repetition with this period."""
    equal = (keys[period:] == keys[:-period]).all(axis=1)
    growth = starts[period:] - starts[:-period]
    steady = equal[period:] & equal[:-period] & (growth[period:] == growth[:-period]).all(axis=1)
    counts = 2 + _runs(steady) // period if len(steady) >= period else np.zeros(0, np.int64)
    if counts.size and counts.max() > 2:
        start = int(counts.argmax())
        return _Repeat(start, period, int(counts[start]))
    pairs = np.flatnonzero(_runs(equal) >= period)
    return _Repeat(int(pairs[0]), period, 2) if pairs.size else None


def _runs(flags: Array) -> Array:
    """At each place, how many flags in a row are set from there on."""
    places = np.arange(len(flags))
    next_gap = np.minimum.accumulate(np.where(flags, len(flags), places)[::-1])[::-1]
    return np.asarray(next_gap - places)
