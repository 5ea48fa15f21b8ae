"""One stage measured on its calls: what each buffer must hold at each step. No sizes by formula, no addresses yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import NamedTuple

import numpy as np

from ..graph import Array, Graph, Op, Tensor
from ..target import Candidate, Form
from .occupancy import Occupancy, Traffic, hull
from .plan import Step
from .rings import Home, Mapping2D, round_up, with_depthwise
from .schedule import Sources, schedule
from .walk import Mode, Walk


class Lives:
    """Between which operators each tensor exists. A view exists as the tensor whose values it shows."""

    def __init__(self, graph: Graph) -> None:
        self.sources = Sources(graph)
        self.ops = tuple(op for op in graph.ops if not op.is_view)
        end = len(self.ops)
        self.made: dict[Tensor, int] = dict.fromkeys(graph.inputs, -1)
        self.used: dict[Tensor, int] = dict.fromkeys(graph.inputs, 0)
        for i, op in enumerate(self.ops):
            for t in op.outputs:
                self.made[t] = self.used[t] = i
            for t in op.activations:
                self.used[self.sources.of(t)] = i
        for t in map(self.sources.of, graph.outputs):
            if not t.is_constant:
                self.used[t] = end
        self.recut = {self.sources.of(op.y) for op in graph.ops if op.is_view and op.x.image != op.y.image}
        self._ancestors = self._all_ancestors()

    def feeds(self, earlier: int, later: int) -> bool:
        """Does one operator's result depend on the other's?"""
        return bool(self._ancestors[later] >> earlier & 1)

    def funnels(self, begin: int, end: int) -> bool:
        """Does the last of these operators need all others? Then nothing but its calls drives them."""
        others = (1 << end - 1) - (1 << begin)
        return self._ancestors[end - 1] & others == others

    def _all_ancestors(self) -> list[int]:
        """Of each operator, the numbers of those it depends on, as bits."""
        found: list[int] = []
        for op in self.ops:
            makers = (self.made[self.sources.of(t)] for t in op.activations)
            found.append(reduce(or_, (1 << m | found[m] for m in makers if m >= 0), 0))
        return found

    def at(self, cut: int) -> tuple[Tensor, ...]:
        """The tensors that exist before operator number `cut`."""
        return tuple(t for t, made in self.made.items() if made < cut <= self.used[t])


class Seat(NamedTuple):
    """Bytes of another tensor, from `start` on."""

    tensor: Tensor
    start: int = 0


def seat_of(tensor: Tensor, replaced: Mapping[Tensor, Seat]) -> Seat:
    """Where a tensor lies, through all that it shares a place with."""
    seat = Seat(tensor)
    while seat.tensor in replaced:
        following = replaced[seat.tensor]
        seat = Seat(following.tensor, seat.start + following.start)
    return seat


@dataclass(frozen=True, eq=False)
class Draft:
    """The operators of `choices` executed together; the first of them is number `begin`."""

    begin: int
    choices: Mapping[Op, Candidate]
    steps: tuple[Step, ...]
    whole: Mapping[Tensor, Occupancy]  # tensors that outlive the stage and are touched in it
    replaced: Mapping[Tensor, Seat]  # on whose bytes a tensor lives that needs none of its own
    homes: tuple[tuple[Home, Occupancy], ...]
    scratch: Mapping[Op, Occupancy]
    held: tuple[Tensor, ...]  # exist throughout, untouched or needed later

    @property
    def ops(self) -> tuple[Op, ...]:
        return tuple(self.choices)

    def occupancies(self) -> Iterator[tuple[object, Occupancy]]:
        """Every buffer of the stage: places of whole tensors by their root, rings, scratch."""
        seats = {t: seat_of(t, self.replaced) for t in self.whole}
        for root in dict.fromkeys(seat.tensor for seat in seats.values()):
            yield root, hull(self.whole[t].moved(seat.start) for t, seat in seats.items() if seat.tensor is root)
        yield from self.homes
        yield from self.scratch.items()
        for tensor in self.held:
            yield tensor, Occupancy.constant(len(self.steps), tensor.nbytes)

    @cached_property
    def peak(self) -> int:
        """Bytes that no placement of this stage can do without."""
        return int(np.sum([span.sizes for _, span in self.occupancies()], axis=0).max(initial=0))

    def core(self, lives: Lives) -> int:
        """Without what comes out or waits: longer stages of this kind need as much, see `Lives.funnels`."""
        inputs = [use for t, use in self.whole.items() if lives.made[t] < self.begin]
        uses = [*inputs, *(use for _, use in self.homes), *self.scratch.values()]
        return int(np.sum([use.sizes for use in uses], axis=0).max()) if uses else 0


def measure(lives: Lives, begin: int, mode: Mode, choices: Mapping[Op, Candidate], walks: Sequence[Walk]) -> Draft:
    """The stage of the operators in `choices`, the first of which is number `begin`."""
    order = np.array(schedule(walks, lives.sources))
    times = [np.flatnonzero(order == i) for i in range(len(walks))]
    return _Measure(lives, begin, mode, choices, walks, times).run(_in_order(order, walks))


def _in_order(order: Array, walks: Sequence[Walk]) -> tuple[Step, ...]:
    calls = [iter(walk.steps) for walk in walks]
    return tuple(next(calls[i]) for i in order)


class _Measure:
    def __init__(
        self,
        lives: Lives,
        begin: int,
        mode: Mode,
        choices: Mapping[Op, Candidate],
        walks: Sequence[Walk],
        times: Sequence[Array],
    ) -> None:
        self.lives, self.begin, self.end = lives, begin, begin + len(walks)
        self.mode, self.choices, self.walks, self.times = mode, choices, walks, times
        self.steps = sum(walk.calls for walk in walks)
        self.traffic = self._traffic()
        self.homes: dict[Tensor, Home] = {}
        self.replaced: dict[Tensor, Seat] = {}
        self.whole: list[Tensor] = [t for t in self.traffic if self._outlives(t)]

    def run(self, steps: tuple[Step, ...]) -> Draft:
        for walk in self.walks:
            self._settle(walk)
        homes = list({id(home): home for home in self.homes.values()}.values())
        held = [t for t in self.lives.at(self.begin) if t not in self.traffic or self._is_held(t)]
        return Draft(
            begin=self.begin,
            choices=self.choices,
            steps=steps,
            whole={t: self.traffic[t].kept for t in self.whole if not self._is_held(t)},
            replaced=self.replaced,
            homes=tuple((home, self._ring_life(home)) for home in homes),
            scratch=dict(self._scratch()),
            held=tuple(held),
        )

    def _traffic(self) -> dict[Tensor, Traffic]:
        writes: dict[Tensor, list[tuple[Array, Array]]] = {}
        reads: dict[Tensor, list[tuple[Array, Array]]] = {}
        for walk, times in zip(self.walks, self.times, strict=True):
            for made in walk.op.outputs:
                writes.setdefault(made, []).append((times, walk.writes))
            for tensor, ranges in zip(walk.op.inputs, walk.reads, strict=True):
                if tensor is not None and ranges is not None:
                    reads.setdefault(self.lives.sources.of(tensor), []).append((times, ranges))
        return {t: self._traffic_of(t, writes.get(t, []), reads.get(t, [])) for t in dict.fromkeys([*reads, *writes])}

    def _traffic_of(
        self, tensor: Tensor, writes: list[tuple[Array, Array]], reads: list[tuple[Array, Array]]
    ) -> Traffic:
        before, after = self.lives.made[tensor] < self.begin, self.lives.used[tensor] >= self.end
        if self.lives.made[tensor] < 0 == self.begin:  # the caller writes all of it, whatever is read
            writes = [(np.array([0]), np.array([[0, tensor.nbytes]]))]
        return Traffic(self.steps, tensor.nbytes, tuple(writes), tuple(reads), before, after)

    def _is_held(self, tensor: Tensor) -> bool:
        return self.traffic[tensor].before and self.traffic[tensor].after

    def _outlives(self, tensor: Tensor) -> bool:
        """Does it need a place of its full size? So do those with views that cut the same bytes into other rows."""
        traffic = self.traffic[tensor]
        return traffic.before or traffic.after or tensor in self.lives.recut

    def _settle(self, walk: Walk) -> None:
        """Where the output of an operator goes: on one of its inputs, or to a place of its own."""
        if not walk.op.outputs:
            return
        y = walk.op.y
        self._seat_inputs(walk)
        source = self._in_place_source(walk)
        if source is not None and source in self.homes and y in self.whole:
            self._move_into(self.homes[source], y)
        elif source is not None and source in self.homes:
            home = self.homes[source]
            home.members[y], self.homes[y] = home.members[source], home
            self._align(home, y)
        elif source is not None:
            self.replaced[y] = Seat(source)
            if y not in self.whole:
                self.whole.append(y)
        elif y not in self.whole and not self._join_depthwise(walk):
            self.homes[y] = self._own_home(y)

    def _seat_inputs(self, walk: Walk) -> None:
        """What an operator only copies, once, may have been computed where it belongs; views are the same memory."""
        roots = [self.lives.sources.of(t) for t in walk.op.activations]
        for index, start in self.choices[walk.op].places.items():
            source = walk.op.inputs[index]
            assert source is not None
            x = self.lives.sources.of(source)
            ends_here = x in self.whole and not self.traffic[x].after and self.lives.made[x] >= 0
            if ends_here and roots.count(x) == 1 and walk.op.y in self.whole and x not in self.replaced:
                self.replaced[x] = Seat(walk.op.y, start)

    def _in_place_source(self, walk: Walk) -> Tensor | None:
        """An input that the output may overwrite; better a whole tensor than a few rows of one."""
        y, found, allowed = walk.op.y, list[Tensor](), self.choices[walk.op].in_place
        roots = [None if t is None or t.is_constant else self.lives.sources.of(t) for t in walk.op.inputs]
        needed = {root for index, root in enumerate(roots) if index not in allowed}  # perhaps as another view
        for x in (roots[index] for index in allowed):
            if x is None or x in needed:
                continue
            if self._fits(x, y) and self.traffic[x].dead_when_written(self.traffic[y]):
                found.append(x)
        return min(found, key=lambda x: x in self.homes, default=None)

    def _fits(self, x: Tensor, y: Tensor) -> bool:
        """Rings keep their row length; on a whole tensor, anything not larger will do."""
        if x in self.homes:
            alike = x.image == y.image and x.dtype.size == y.dtype.size and self._aligned_for(y, x)
            return alike and (y not in self.whole or self.homes[x].one_place)
        return x in self.whole and y.nbytes <= x.nbytes and not self.traffic[y].before

    def _aligned_for(self, y: Tensor, x: Tensor) -> bool:
        """Can the rows of x's ring be aligned as the readers of y ask?"""
        home, needed = self.homes[x], self._alignment.get(y, 1)
        return home.unit % needed == 0 and all(m.row_step % needed == 0 for m in home.members.values())

    def _align(self, home: Home, y: Tensor) -> None:
        home.alignment = max(home.alignment, self._alignment.get(y, 1))

    def _move_into(self, home: Home, y: Tensor) -> None:
        """The ring is given up: its tensors are written straight to the rows that the output will take."""
        for tensor in home.members:
            self.replaced[tensor] = Seat(y)
            self.whole.append(tensor)
            del self.homes[tensor]

    def _join_depthwise(self, walk: Walk) -> bool:
        by_channel = 0 in self.choices[walk.op].by_channel and self.mode.rows == 1
        if not by_channel or walk.op.x not in self.homes or not self._aligned_for(walk.op.y, walk.op.x):
            return False
        shared = with_depthwise(self.homes[walk.op.x], walk, self.traffic)
        if shared is None:
            return False
        self.homes.update(dict.fromkeys(shared.members, shared))
        self._align(shared, walk.op.y)
        return True

    def _own_home(self, tensor: Tensor) -> Home:
        alignment = self._alignment.get(tensor, 1)
        if self.mode.chunks > 1:
            return Home(tensor.pixel_bytes, alignment, {tensor: Mapping2D(tensor.row_bytes)})
        slot = round_up(tensor.row_bytes, alignment)
        return Home(slot, alignment, {tensor: Mapping2D(slot)})

    @cached_property
    def _alignment(self) -> dict[Tensor, int]:
        """The strictest that a kernel of this stage asks of each tensor's rows."""
        found: dict[Tensor, int] = {}
        for op, choice in self.choices.items():
            for touched, needed in choice.alignments(op):
                tensor = self.lives.sources.of(touched)
                found[tensor] = max(found.get(tensor, 1), needed)
        return found

    def _ring_life(self, home: Home) -> Occupancy:
        """A ring is there from its first write to its last use."""
        sizes = home.occupancy(self.traffic).sizes
        used = np.flatnonzero(sizes)
        return Occupancy.at(self.steps, np.arange(used[0], used[-1] + 1), home.rounded(int(sizes.max())))

    def _scratch(self) -> Iterator[tuple[Op, Occupancy]]:
        """During the calls of its operator; what a sink gathers there must last from its first call to its last."""
        for walk, times in zip(self.walks, self.times, strict=True):
            choice = self.choices[walk.op]
            if choice.scratch_bytes:
                lasts = choice.form is Form.SINK
                when = np.arange(times[0], times[-1] + 1) if lasts else times
                yield walk.op, Occupancy.at(self.steps, when, choice.scratch_bytes)
