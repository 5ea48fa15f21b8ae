"""Who lives where in the arena, when: the data behind plan listings and the report's picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..graph import Op, Tensor
from ..planner.lifetime import Lifetimes
from ..planner.plan import Plan, Ring

TAKEOVER = 0.5  # an in-place result replaces its source in the middle of their stage


@dataclass(frozen=True)
class Slab:
    """Bytes [offset, offset + nbytes) of a region, held from `start` to `stop`, counted in stages."""

    owner: str  # who fills it: L03_dw, input, scratch
    name: str  # the tensor's
    kind: str  # full, ring or scratch
    region: int
    offset: int
    nbytes: int
    start: float
    stop: float

    def lives_in(self, stage: int) -> bool:
        return self.start < stage + 1 and self.stop > stage

    def touches(self, other: Slab) -> bool:
        together = self.offset < other.offset + other.nbytes and other.offset < self.offset + self.nbytes
        return self.region == other.region and together


@dataclass(frozen=True)
class Peak:
    """The stage that needs most, and what it needs it for, largest first."""

    stage: int
    live_bytes: int
    slabs: tuple[Slab, ...]


def stages_drawn(plan: Plan) -> int:
    """A network of views alone runs in no stage, but it has an input."""
    return max(1, len(plan.stages))


def peak(plan: Plan) -> Peak:
    stage = max(range(len(plan.stages)), key=lambda s: plan.live_bytes[s], default=0)
    live = sorted((s for s in slabs(plan) if s.lives_in(stage)), key=lambda s: -s.nbytes)
    return Peak(stage, plan.live_bytes[stage] if plan.stages else plan.arena_bytes, tuple(live))


def slabs(plan: Plan) -> tuple[Slab, ...]:
    """Everything the plan places, in order of appearance; a view is part of its source."""
    sources = {op.y: op.x for op in plan.graph.ops if op.is_view}
    lifetimes = Lifetimes(plan.graph, [stage.ops for stage in plan.stages])
    owner = _owners(plan)
    found = {t: _slab(owner[t], t, plan, lifetimes) for t in plan.buffers if t not in sources}
    for moment, op in _single(plan):
        for tensor in op.activations:
            source = _origin(tensor, sources)
            if found[source].touches(found[op.y]):
                found[source] = replace(found[source], stop=moment + TAKEOVER)
                found[op.y] = replace(found[op.y], start=moment + TAKEOVER)
    return tuple(sorted((*found.values(), *_scratch(plan)), key=lambda s: (s.start, s.offset)))


def _owners(plan: Plan) -> Mapping[Tensor, str]:
    """Short names where files have long ones."""
    inputs = plan.graph.inputs
    found = {t: f"input {i}" if len(inputs) > 1 else "input" for i, t in enumerate(inputs)}
    return found | {t: plan.layer_name(op) for op in plan.ops for t in op.outputs}


def _slab(owner: str, tensor: Tensor, plan: Plan, lifetimes: Lifetimes) -> Slab:
    buffer = plan.buffers[tensor]
    kind = "ring" if isinstance(buffer, Ring) else "full"
    start, stop = lifetimes.birth[tensor], min(lifetimes.death[tensor] + 1, stages_drawn(plan))
    return Slab(owner, tensor.name, kind, buffer.region, buffer.offset, buffer.nbytes, start, stop)


def _scratch(plan: Plan) -> Iterator[Slab]:
    for moment, stage in enumerate(plan.stages):
        for work in {plan.scratch[op] for op in stage.ops if op in plan.scratch}:
            yield Slab("scratch", "", "scratch", work.region, work.offset, work.nbytes, moment, moment + 1)


def _single(plan: Plan) -> Iterator[tuple[int, Op]]:
    """Stages of one operator: only there may a result take its input's place."""
    return ((moment, stage.ops[0]) for moment, stage in enumerate(plan.stages) if not stage.streamed)


def _origin(tensor: Tensor, sources: dict[Tensor, Tensor]) -> Tensor:
    while tensor in sources:
        tensor = sources[tensor]
    return tensor
