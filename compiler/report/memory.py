"""Who lives where in the arena, when: the data behind plan listings and the report's picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..graph import Array, Tensor
from ..planner.plan import Plan, Ring
from ..simulate.liveness import Life, Place, lives, view_sources

TAKEOVER = 0.5  # a result that replaces its source in one call does so in the middle of it


@dataclass(frozen=True)
class Stretch:
    """From call `start` to call `stop`, what is needed lies in bytes [low, high)."""

    start: float
    stop: float
    low: int
    high: int


@dataclass(frozen=True)
class Slab:
    """A place in the arena and what of it is occupied, when: a ring all the time, of a whole tensor what is alive."""

    owner: str  # who fills it: L03_dw, input, scratch
    name: str  # the tensor's
    kind: str  # full, ring or scratch
    region: int
    offset: int
    nbytes: int
    rows: float | None  # that a ring holds
    stretches: tuple[Stretch, ...]

    @property
    def start(self) -> float:
        return self.stretches[0].start

    @property
    def stop(self) -> float:
        return self.stretches[-1].stop

    def gives_way_to(self, other: Slab) -> bool:
        together = self.offset < other.offset + other.nbytes and other.offset < self.offset + self.nbytes
        return self.region == other.region and together and self.start < other.start < self.stop

    def at(self, moment: float) -> Stretch | None:
        return next((s for s in self.stretches if s.start <= moment < s.stop), None)


@dataclass(frozen=True)
class Held:
    """What a slab occupies at one moment."""

    slab: Slab
    nbytes: int


@dataclass(frozen=True)
class Peak:
    """The stage that needs most, its first call at which most is occupied, and by what, largest first."""

    stage: int
    call: int
    live_bytes: int
    held: tuple[Held, ...]


@dataclass(frozen=True)
class Memory:
    """Everything a plan places, in order of appearance; views are part of what they show."""

    plan: Plan
    slabs: tuple[Slab, ...]

    @cached_property
    def owner(self) -> Mapping[Tensor, str]:
        return owners(self.plan)

    @cached_property
    def borders(self) -> tuple[int, ...]:
        """The first call of every stage, and the end. Views alone make no call, but there is an input."""
        sizes = [len(stage.steps) for stage in self.plan.stages] or [1]
        return (0, *(int(n) for n in np.cumsum(sizes)))

    def stage_of(self, call: float) -> int:
        return int(np.searchsorted(self.borders, call, "right")) - 1

    def stages_of(self, slab: Slab) -> tuple[int, int]:
        """The first and the last in which it is there."""
        return self.stage_of(slab.start), self.stage_of(np.ceil(slab.stop) - 1)

    def under(self, owner: str) -> tuple[Slab, ...]:
        """Whole tensors on whose dead bytes another one begins to grow."""
        own = next((s for s in self.slabs if s.owner == owner), None)
        return () if own is None else tuple(s for s in self.slabs if s.kind == "full" and s.gives_way_to(own))

    def held(self, call: int) -> tuple[Held, ...]:
        found = ((slab, slab.at(call)) for slab in self.slabs)
        return tuple(Held(slab, stretch.high - stretch.low) for slab, stretch in found if stretch is not None)

    @cached_property
    def peak(self) -> Peak:
        plan = self.plan
        stage = max(range(len(plan.live_bytes)), key=lambda s: plan.live_bytes[s], default=0)
        occupied = _occupied(self.slabs, self.borders[stage], self.borders[stage + 1])
        call = self.borders[stage] + int(occupied.argmax())
        held = tuple(sorted(self.held(call), key=lambda h: -h.nbytes))
        return Peak(stage, call, plan.live_bytes[stage] if plan.live_bytes else int(occupied.max()), held)


def memory(plan: Plan) -> Memory:
    by_tensor: dict[Tensor | None, list[Life]] = {None: []}
    for life in lives(plan):
        by_tensor.setdefault(life.tensor, []).append(life)
    scratch = _scratch_slabs(Memory(plan, ()), by_tensor.pop(None))
    tensors = {t: own for t, own in by_tensor.items() if t is not None}
    slabs = dict.fromkeys(_handed_over(plan, _tensor_slabs(plan, tensors)).values())
    return Memory(plan, tuple(sorted((*slabs, *scratch), key=lambda s: (s.start, s.offset))))


def owners(plan: Plan) -> Mapping[Tensor, str]:
    """Short names where files have long ones."""
    inputs = plan.graph.inputs
    found = {t: f"input {i}" if len(inputs) > 1 else "input" for i, t in enumerate(inputs)}
    found |= {t: plan.layer_name(op) for op in plan.ops for t in op.outputs}
    return found | {view: found[t] for view, t in view_sources(plan).items() if t in found}


def _tensor_slabs(plan: Plan, by_tensor: Mapping[Tensor, Sequence[Life]]) -> dict[Tensor, Slab]:
    """Tensors that use one ring in turns are one slab."""
    owner, found, shared = owners(plan), dict[Tensor, Slab](), dict[tuple[int, int, int], list[Tensor]]()
    for tensor, own in by_tensor.items():
        buffer = plan.buffers[tensor]
        if isinstance(buffer, Ring):
            shared.setdefault((buffer.region, buffer.offset, buffer.nbytes), []).append(tensor)
        else:
            stretches = _stretches(own, len(plan.steps))
            place = (buffer.region, buffer.offset, buffer.nbytes)
            found[tensor] = Slab(owner[tensor], tensor.name, "full", *place, None, stretches)
    for (region, offset, nbytes), tensors in shared.items():
        for group in _meeting(tensors, by_tensor):
            start = max(0, min(life.birth for t in group for life in by_tensor[t]))
            stop = 1 + max(life.death for t in group for life in by_tensor[t])
            names = (", ".join(owner[t] for t in group), ", ".join(t.name for t in group))
            rows = nbytes / max(t.row_bytes for t in group)
            whole = (Stretch(start, min(stop, len(plan.steps)), offset, offset + nbytes),)
            found |= dict.fromkeys(group, Slab(*names, "ring", region, offset, nbytes, rows, whole))
    return found


def _meeting(tensors: Sequence[Tensor], by_tensor: Mapping[Tensor, Sequence[Life]]) -> Iterator[list[Tensor]]:
    """Those that are there at the same time; rings of different stages may lie in the same place by chance."""
    group: list[Tensor] = []
    end = 0
    for tensor in sorted(tensors, key=lambda t: min(life.birth for life in by_tensor[t])):
        if group and min(life.birth for life in by_tensor[tensor]) > end:
            yield group
            group = []
        group.append(tensor)
        end = max(end, *(life.death for life in by_tensor[tensor]))
    yield group


def _stretches(own: Sequence[Life], calls: int) -> tuple[Stretch, ...]:
    """The lowest and the highest byte that is needed at each call, as long as they stay the same."""
    calls = max(1, calls)
    low, high = np.full(calls, np.iinfo(np.int64).max), np.zeros(calls, np.int64)
    for life in own:
        when = slice(max(0, life.birth), min(life.death + 1, calls))
        for place in life.places:
            low[when] = np.minimum(low[when], place.offset)
            high[when] = np.maximum(high[when], place.offset + place.nbytes)
    borders = np.flatnonzero((np.diff(low) != 0) | (np.diff(high) != 0)) + 1
    edges = [0, *borders.tolist(), calls]
    found = (Stretch(a, b, int(low[a]), int(high[a])) for a, b in pairwise(edges) if high[a])
    return tuple(found) or (Stretch(0, 1, own[0].places[0].offset, own[0].places[0].offset),)


def _handed_over(plan: Plan, found: dict[Tensor, Slab]) -> dict[Tensor, Slab]:
    """Where one call replaces a whole tensor by another, both are needed at that call, in the same place."""
    sources = view_sources(plan)
    for op in plan.ops:
        for tensor in (sources.get(t, t) for t in op.activations if op.outputs):
            if tensor not in found or op.y not in found or found[tensor] is found[op.y]:
                continue
            source, result = found[tensor], found[op.y]
            last, first = source.stretches[-1], result.stretches[0]
            if last.stop == first.start + 1 and source.region == result.region and _overlap(last, first):
                moment = first.start + TAKEOVER
                before, after = replace(last, stop=moment), replace(first, start=moment)
                found[tensor] = replace(source, stretches=(*source.stretches[:-1], before))
                found[op.y] = replace(result, stretches=(after, *result.stretches[1:]))
    return found


def _overlap(a: Stretch, b: Stretch) -> bool:
    return a.low < b.high and b.low < a.high


def _scratch_slabs(placed: Memory, own: Iterable[Life]) -> Iterator[Slab]:
    """One for all kernels of a stage that have it in the same place; there only while they need it."""
    calls: dict[tuple[int, Place], list[Life]] = {}
    for life in sorted(own, key=lambda one: one.birth):
        calls.setdefault((placed.stage_of(life.birth), life.places[0]), []).append(life)
    for (_, place), needed in calls.items():
        stretches: list[Stretch] = []
        for life in needed:
            start, stop = life.birth, life.death + 1
            if stretches and start <= stretches[-1].stop:
                start = int(stretches.pop().start)
            stretches.append(Stretch(start, stop, place.offset, place.offset + place.nbytes))
        users = dict.fromkeys(placed.plan.layer_name(placed.plan.steps[life.birth].op) for life in needed)
        owner = f"scratch {' '.join(name.split('_')[0] for name in users)}"
        yield Slab(owner, "", "scratch", place.region, place.offset, place.nbytes, None, tuple(stretches))


def _occupied(slabs: Iterable[Slab], first: int, last: int) -> Array:
    """At each call in [first, last), how many bytes; none is counted twice."""
    held: list[list[tuple[int, int, int]]] = [[] for _ in range(first, max(last, first + 1))]
    for slab in slabs:
        for s in slab.stretches:
            for call in range(max(first, int(s.start)), min(last, int(np.ceil(s.stop)))):
                held[call - first].append((slab.region, s.low, s.high))
    return np.array([_union(spans) for spans in held], np.int64)


def _union(spans: Iterable[tuple[int, int, int]]) -> int:
    total, reached = 0, (-1, 0)
    for region, low, high in sorted(spans):
        begin = max(low, reached[1]) if region == reached[0] else low
        total += max(0, high - begin)
        reached = (region, max(begin, high))
    return total
