"""From stages and choices to a Plan: lifetimes, shared places, rings, scratch, offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..graph import Graph, Op, Tensor
from ..target import Candidate
from .allocate import Block, pack
from .lifetime import Lifetimes, internal
from .plan import Buffer, Full, Plan, RegionUse, Ring, Scratch, Stage
from .schedule import ring_slots

BASE_ALIGNMENT = 4  # of every block, so that kernels may use word access where rows allow


@dataclass(frozen=True)
class Places:
    """Which tensors share memory: every tensor of full size points at the one its place is named after."""

    root: Mapping[Tensor, Tensor]

    def members(self, root: Tensor) -> tuple[Tensor, ...]:
        return tuple(t for t, r in self.root.items() if r is root)


def lay_out(
    graph: Graph, stages: Sequence[Stage], choices: Mapping[Op, Candidate], memory: str, input_alignment: int
) -> Plan:
    """Everything in one region, the memory of that name."""
    lifetimes = Lifetimes(graph, [stage.ops for stage in stages])
    places = share_places(graph, stages, choices, lifetimes)
    align = _alignments(choices)
    align |= {t: max(align.get(t, 1), input_alignment) for t in graph.inputs}
    roots = tuple(dict.fromkeys(places.root.values()))
    rings = [(s, t) for s, stage in enumerate(stages) for t in internal(stage.ops)]
    scratch = [(s, _scratch_bytes(stage, choices)) for s, stage in enumerate(stages) if _scratch_bytes(stage, choices)]

    slot = {t: _round_up(t.row_bytes, align.get(t, 1)) for _, t in rings}
    slots = {t: ring_slots(t, stages[s].steps) for s, t in rings}
    full_blocks = [_full_block(root, places, lifetimes, align) for root in roots]
    ring_blocks = [Block(t.name, s, (slots[t] * slot[t],), max(BASE_ALIGNMENT, align.get(t, 1))) for s, t in rings]
    scratch_blocks = [Block("scratch", s, (n,), _scratch_alignment(stages[s], choices)) for s, n in scratch]
    packing = pack([*full_blocks, *ring_blocks, *scratch_blocks])

    offsets = iter(packing.offsets)
    base = {root: next(offsets) for root in roots}
    buffers: dict[Tensor, Buffer] = {t: Full(t, 0, base[root]) for t, root in places.root.items()}
    buffers |= {t: Ring(t, 0, next(offsets), slots[t], slot[t]) for _, t in rings}
    work = {s: Scratch(0, next(offsets), n) for s, n in scratch}
    return Plan(
        graph=graph,
        stages=tuple(stages),
        choices=dict(choices),
        buffers=buffers,
        scratch={op: work[s] for s, stage in enumerate(stages) for op in stage.ops if choices[op].scratch_bytes},
        regions=(RegionUse(memory, packing.size),),
        lower_bound=packing.lower_bound,
        live_bytes=_live_bytes(len(stages), [*full_blocks, *ring_blocks, *scratch_blocks]),
    )


def share_places(
    graph: Graph, stages: Sequence[Stage], choices: Mapping[Op, Candidate], lifetimes: Lifetimes
) -> Places:
    """Views share their source's place; so do in-place results whose source nobody needs afterwards."""
    moment = {op: s for s, stage in enumerate(stages) for op in stage.ops}
    streamed = {op for stage in stages if stage.streamed for op in stage.ops}
    root: dict[Tensor, Tensor] = {t: t for t in graph.inputs}
    for op in graph.ops:
        for tensor in op.outputs:
            if tensor in lifetimes.rings:
                continue
            source = op.x if op.is_view else None
            if not op.is_view and op not in streamed:
                source = _replaceable(op, choices[op], Places(root), lifetimes, moment[op])
            root[tensor] = tensor if source is None else root[source]
    return Places(root)


def _replaceable(op: Op, choice: Candidate, places: Places, lifetimes: Lifetimes, moment: int) -> Tensor | None:
    """An input whose place the output may take over: it fits, and nothing there is needed later."""
    for index in choice.in_place:
        source = op.inputs[index]
        if source is None or source.is_constant or op.y.nbytes > source.nbytes or source not in places.root:
            continue
        if all(lifetimes.death[t] <= moment for t in places.members(places.root[source])):
            return source
    return None


def _full_block(root: Tensor, places: Places, lifetimes: Lifetimes, align: Mapping[Tensor, int]) -> Block:
    members = places.members(root)
    start = min(lifetimes.birth[t] for t in members)
    stop = max(lifetimes.death[t] for t in members) + 1
    sizes = tuple(
        max(t.nbytes for t in members if lifetimes.birth[t] <= moment <= lifetimes.death[t])
        for moment in range(start, stop)
    )
    return Block(root.name, start, sizes, max(BASE_ALIGNMENT, *(align.get(t, 1) for t in members)))


def _alignments(choices: Mapping[Op, Candidate]) -> dict[Tensor, int]:
    """The strictest alignment any kernel asks of each tensor it touches."""
    found: dict[Tensor, int] = {}
    for op, choice in choices.items():
        for tensors, needed in ((op.activations, choice.alignment), (op.outputs, choice.output_alignment)):
            for tensor in tensors:
                found[tensor] = max(found.get(tensor, 1), needed, tensor.dtype.size)
    return found


def _scratch_bytes(stage: Stage, choices: Mapping[Op, Candidate]) -> int:
    """Kernels of a stage never run at the same time: one scratch serves all."""
    return max(choices[op].scratch_bytes for op in stage.ops)


def _scratch_alignment(stage: Stage, choices: Mapping[Op, Candidate]) -> int:
    return max(BASE_ALIGNMENT, *(choices[op].scratch_alignment for op in stage.ops))


def _live_bytes(moments: int, blocks: Sequence[Block]) -> tuple[int, ...]:
    return tuple(sum(b.sizes[t - b.start] for b in blocks if b.start <= t < b.stop) for t in range(moments))


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step
