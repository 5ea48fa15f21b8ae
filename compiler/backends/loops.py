"""From a stage's list of steps to nested loops: exactly the same calls in the same order, fewer lines.

A repetition is a run of equal patterns of operators in which every number (first row, last row,
position) grows by a constant from one pattern to the next. The longest one becomes a loop; what is
before, after and inside it is treated the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from ..graph import Array, Op
from ..planner.plan import Step

LOOP_LINES = 2  # what a loop costs: its head and its closing brace


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


@dataclass(frozen=True)
class StepCall:
    """One call inside `len(first.strides)` loops; `position` counts the plan's steps."""

    op: Op
    first: Affine
    last: Affine
    position: Affine


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
    numbers = np.array([(s.first, s.last, position + i) for i, s in enumerate(steps)], np.int64)
    return _compress([s.op for s in steps], numbers.reshape(-1, 3, 1))


def expand(items: Sequence[Item], counters: tuple[int, ...] = ()) -> Iterator[tuple[int, Step]]:
    """(position, step) in execution order: what the loops do."""
    for item in items:
        if isinstance(item, StepCall):
            yield item.position.at(counters), Step(item.op, item.first.at(counters), item.last.at(counters))
        else:
            for counter in range(item.count):
                yield from expand(item.body, (*counters, counter))


def _compress(ops: Sequence[Op], numbers: Array) -> tuple[Item, ...]:
    """`numbers` is [steps, 3, 1 + depth]: first, last, position, each as start and strides."""
    if not ops:
        return ()
    best = _best_repeat(ops, numbers[:, :, 0], numbers[:, :, 1:])
    if best is None:
        return tuple(_call(op, row) for op, row in zip(ops, numbers, strict=True))
    start, period, count = best
    stop, end = start + period, start + period * count
    strides = numbers[stop : stop + period, :, :1] - numbers[start:stop, :, :1]
    body = np.concatenate([numbers[start:stop], strides], axis=2)
    loop = Loop(numbers.shape[2] - 1, count, _compress(ops[start:stop], body))
    return (*_compress(ops[:start], numbers[:start]), loop, *_compress(ops[end:], numbers[end:]))


def _call(op: Op, row: Array) -> StepCall:
    first, last, position = (Affine(int(r[0]), tuple(int(v) for v in r[1:])) for r in row)
    return StepCall(op, first, last, position)


def _best_repeat(ops: Sequence[Op], starts: Array, strides: Array) -> _Repeat | None:
    """The repetition that saves most lines; of equals the one with the shortest pattern, the first."""
    ids = {op: i for i, op in enumerate(dict.fromkeys(ops))}
    keys = np.concatenate([np.array([[ids[op]] for op in ops]), strides.reshape(len(ops), -1)], axis=1)
    found = (_repeat(keys, starts, period) for period in range(1, len(ops) // 2 + 1))
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
