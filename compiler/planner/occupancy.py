"""Which bytes of a tensor, or of several in one place, must be kept at each step of a stage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from ..graph import Array

NOWHERE = 1 << 60  # start of an empty interval; its stop is -NOWHERE, so that minimum and maximum ignore it


@dataclass(frozen=True, eq=False)
class Occupancy:
    """Bytes [low, high) at each of a run of steps; the step where nothing is kept has an empty interval."""

    low: Array
    high: Array

    @classmethod
    def constant(cls, steps: int, nbytes: int) -> Occupancy:
        return cls(np.zeros(steps, np.int64), np.full(steps, nbytes, np.int64))

    @classmethod
    def at(cls, steps: int, times: Array, nbytes: int) -> Occupancy:
        """`nbytes` at some of the steps."""
        low, high = _nothing(steps)
        low[times], high[times] = 0, nbytes
        return cls(low, high)

    @classmethod
    def joined(cls, parts: Sequence[Occupancy]) -> Occupancy:
        """One after the other in time."""
        return cls(np.concatenate([p.low for p in parts]), np.concatenate([p.high for p in parts]))

    @cached_property
    def sizes(self) -> Array:
        return np.asarray(np.maximum(self.high - self.low, 0))

    @property
    def largest(self) -> int:
        return int(self.sizes.max(initial=0))

    @property
    def top(self) -> int:
        """Bytes from the place's first byte that it ever takes."""
        return max(0, int(self.high.max(initial=0)))

    def moved(self, distance: int) -> Occupancy:
        return Occupancy(self.low + distance, self.high + distance) if distance else self

    def meets(self, other: Occupancy) -> bool:
        """Do they ever keep the same byte?"""
        both = np.minimum(self.high, other.high) - np.maximum(self.low, other.low)
        return bool((both > 0).any())

    def hull(self, other: Occupancy) -> Occupancy:
        return Occupancy(np.minimum(self.low, other.low), np.maximum(self.high, other.high))


def hull(parts: Iterable[Occupancy]) -> Occupancy:
    return reduce(Occupancy.hull, parts)


@dataclass(frozen=True, eq=False)
class Traffic:
    """All calls of a stage that touch one tensor: at which steps, and which bytes."""

    steps: int
    nbytes: int
    writes: tuple[tuple[Array, Array], ...] = ()  # (steps, ranges) of each operator that writes it
    reads: tuple[tuple[Array, Array], ...] = ()
    before: bool = False  # it is all there when the stage begins
    after: bool = False  # all of it is needed when the stage is over

    @cached_property
    def written(self) -> Occupancy:
        """By each step alone."""
        return _events(self.steps, self.writes)

    @cached_property
    def needed(self) -> Occupancy:
        """From each step on, and afterwards; one entry more than there are steps."""
        if self.after:
            return Occupancy.constant(self.steps + 1, self.nbytes)
        events = _events(self.steps + 1, self.reads)
        return Occupancy(_backwards(np.minimum, events.low), _backwards(np.maximum, events.high))

    @cached_property
    def kept(self) -> Occupancy:
        """Written so far and still needed."""
        if self.before:
            made = Occupancy.constant(self.steps, self.nbytes)
        else:
            made = Occupancy(np.minimum.accumulate(self.written.low), np.maximum.accumulate(self.written.high))
        low, high = np.maximum(made.low, self.needed.low[:-1]), np.minimum(made.high, self.needed.high[:-1])
        empty = high <= low
        return Occupancy(np.where(empty, NOWHERE, low), np.where(empty, -NOWHERE, high)).hull(self.written)

    def dead_when_written(self, by: Traffic) -> bool:
        """Whenever `by` is written, is nobody going to read the same bytes of this tensor any more?"""
        low, high = self.needed.low[1:], self.needed.high[1:]
        return not self.after and bool(((low >= by.written.high) | (high <= by.written.low)).all())


def _events(steps: int, found: Sequence[tuple[Array, Array]]) -> Occupancy:
    low, high = _nothing(steps)
    for times, ranges in found:
        filled = ranges[:, 1] > ranges[:, 0]
        when, which = times[filled], ranges[filled]
        low[when], high[when] = np.minimum(low[when], which[:, 0]), np.maximum(high[when], which[:, 1])
    return Occupancy(low, high)


def _nothing(steps: int) -> tuple[Array, Array]:
    return np.full(steps, NOWHERE, np.int64), np.full(steps, -NOWHERE, np.int64)


def _backwards(accumulate: np.ufunc, values: Array) -> Array:
    return np.asarray(accumulate.accumulate(values[::-1])[::-1])
