"""The homes of tensors inside a stage: rings, shared by operators that work in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..graph import Array, Tensor
from .occupancy import NOWHERE, Occupancy, Traffic, hull
from .walk import Walk


@dataclass(frozen=True)
class Mapping2D:
    """Where the rows of a tensor lie on the endless line that a ring is a window of."""

    row_step: int
    shift: int = 0

    def places(self, tensor: Tensor, span: Occupancy) -> Occupancy:
        """From bytes of the tensor to positions on the line."""
        low, high = self._start(tensor, span.low), self._start(tensor, span.high - 1) + 1
        empty = span.high <= span.low
        return Occupancy(np.where(empty, NOWHERE, low), np.where(empty, -NOWHERE, high))

    def _start(self, tensor: Tensor, byte: Array) -> Array:
        if self.row_step == tensor.row_bytes:
            return byte + self.shift
        row, inside = np.divmod(byte, tensor.row_bytes)
        return np.asarray(row * self.row_step + inside + self.shift)


@dataclass(eq=False)
class Home:
    """A ring and those who live in it; `unit` is what its size is a multiple of: a row or a pixel."""

    unit: int
    alignment: int
    members: dict[Tensor, Mapping2D] = field(default_factory=dict)

    def occupancy(self, traffic: Mapping[Tensor, Traffic]) -> Occupancy:
        return hull(m.places(t, traffic[t].kept) for t, m in self.members.items())

    def nbytes(self, traffic: Mapping[Tensor, Traffic]) -> int:
        return self.rounded(self.occupancy(traffic).largest)

    def rounded(self, nbytes: int) -> int:
        return round_up(nbytes, self.unit)

    @property
    def one_place(self) -> bool:
        """Do all members lie on the same bytes, each row right after the one before?"""
        return all(m.shift == 0 and m.row_step == t.row_bytes for t, m in self.members.items())


def with_depthwise(home: Home, walk: Walk, traffic: Mapping[Tensor, Traffic]) -> Home | None:
    """The home of `walk`'s input with its output on the latest pixels that are dead when it is written.

    None if others live there, or if it takes less memory to give the output a ring of its own.
    """
    x, y = walk.op.x, walk.op.y
    source = home.members[x]
    row_step = source.row_step * _rows_per_row(walk)
    if row_step < y.row_bytes:
        return None
    flat = Mapping2D(row_step)
    dead_line = _dead_line(source, x, traffic[x], walk.upwards)
    written = flat.places(y, traffic[y].written)
    busy = written.high > written.low
    room = (dead_line - (written.low if walk.upwards else written.high))[busy]
    shift = -(-int(room.max()) // home.unit) if walk.upwards else int(room.min()) // home.unit
    lies = Mapping2D(row_step, shift * home.unit)
    place, others = lies.places(y, traffic[y].kept), [t for t in home.members if t is not x]
    if any(home.members[t].places(t, traffic[t].kept).meets(place) for t in others):
        return None
    shared = Home(home.unit, home.alignment, {**home.members, y: lies})
    alone = Home(home.unit, home.alignment, {y: Mapping2D(round_up(y.row_bytes, home.alignment))})
    return shared if shared.nbytes(traffic) < home.nbytes(traffic) + alone.nbytes(traffic) else None


def _dead_line(source: Mapping2D, x: Tensor, traffic: Traffic, upwards: bool) -> Array:
    """After each step the position below which (upwards: from which on) nothing of x is needed any more."""
    needed = traffic.needed
    after = source.places(x, Occupancy(needed.low[1:], needed.high[1:]))
    made = source.places(x, traffic.written)
    if upwards:
        end = np.minimum.accumulate(made.low)
        return np.asarray(np.where(after.high > after.low, after.high, end))
    end = np.maximum.accumulate(made.high)
    return np.asarray(np.where(after.high > after.low, np.minimum(after.low, end), end))


def _rows_per_row(walk: Walk) -> int:
    """How many rows of the input make way for a row of the output: the stride."""
    ranges = walk.reads[0]
    assert ranges is not None
    rows, output = ranges[:, 0] // walk.op.x.row_bytes, walk.writes[:, 0] // walk.op.y.row_bytes
    far = np.abs(np.diff(rows)).sum() / max(1, np.abs(np.diff(output)).sum())
    return max(1, round(float(far)))


def round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit
