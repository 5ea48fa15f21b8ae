"""From drafts to a Plan: who shares a place with whom, and where everything lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np

from ..graph import Graph, Op, Tensor
from ..target import Candidate
from .allocate import STAGE, Block, Effort, Packing, live_bytes, pack
from .draft import Draft, Lives, Seat, seat_of
from .occupancy import Occupancy
from .plan import Buffer, Full, Plan, RegionUse, Ring, Scratch, Stage
from .rings import Home

BASE_ALIGNMENT = 4  # of every block, so that kernels may use word access where rows allow


@dataclass(frozen=True)
class Place:
    """Where the arena goes: a memory, how much it holds, what DMA and caches ask of the inputs' addresses."""

    memory: str
    nbytes: int = 1 << 26  # where the memory itself has no end
    input_alignment: int = 1


def stage_bytes(draft: Draft, target: int) -> int:
    """The arena of one stage alone: the least, or what is at most `target`."""
    blocks = [Block(0, use, BASE_ALIGNMENT) for _, use in draft.occupancies()]
    return pack(blocks, target, STAGE).size


class Layout:
    """All stages, one after the other, with their buffers as blocks of one arena."""

    def __init__(self, graph: Graph, lives: Lives, drafts: Sequence[Draft], place: Place) -> None:
        self.graph, self.lives, self.drafts, self.place = graph, lives, drafts, place
        self.choices: dict[Op, Candidate] = {op: c for draft in drafts for op, c in draft.choices.items()}
        self.starts = [0, *accumulate(len(draft.steps) for draft in drafts)]
        self.alignment = self._alignments()
        self.replaced = self._replaced()
        self.keys: list[object] = []
        self.blocks: list[Block] = []
        for key, block in self._blocks():
            self.keys.append(key)
            self.blocks.append(block)

    def pack(self, target: int, effort: Effort) -> Packing:
        return pack(self.blocks, target, effort)

    def plan(self, packing: Packing) -> Plan:
        offsets = dict(zip(self.keys, packing.offsets, strict=True))
        live = live_bytes(self.blocks)
        return Plan(
            graph=self.graph,
            stages=tuple(Stage(draft.ops, draft.steps) for draft in self.drafts),
            choices=self.choices,
            buffers=self._buffers(offsets),
            scratch={op: Scratch(0, offsets[op], c.scratch_bytes) for op, c in self.choices.items() if c.scratch_bytes},
            regions=(RegionUse(self.place.memory, packing.size),),
            lower_bound=packing.lower_bound,
            live_bytes=tuple(int(live[a:b].max(initial=0)) for a, b in pairwise(self.starts)),
        )

    def seat(self, tensor: Tensor) -> Seat:
        """The tensor after which the place is named that this one lies in."""
        return seat_of(self.lives.sources.of(tensor), self.replaced)

    def _replaced(self) -> dict[Tensor, Seat]:
        """A tensor that took another's place when it was made can't be moved to where it will be copied."""
        found: dict[Tensor, Seat] = {}
        for draft in self.drafts:
            for tensor, seat in draft.replaced.items():
                if tensor not in found and seat.start % max(BASE_ALIGNMENT, self.alignment.get(tensor, 1)) == 0:
                    found[tensor] = seat
        return found

    def _blocks(self) -> Iterator[tuple[object, Block]]:
        members: dict[Tensor, list[Tensor]] = {}
        for tensor in self._whole():
            members.setdefault(self.seat(tensor).tensor, []).append(tensor)
        if not self.drafts:  # a network without operators: its inputs are its outputs
            members.clear()
            yield from ((t, Block(0, Occupancy.constant(1, t.nbytes), self.alignment[t])) for t in self.graph.inputs)
        for root, tensors in members.items():
            alignment = max(BASE_ALIGNMENT, *(self.alignment.get(t, 1) for t in tensors))
            yield root, _united([self._life(t) for t in tensors], alignment)
        for start, draft in zip(self.starts, self.drafts, strict=False):
            for home, use in draft.homes:
                yield home, _trimmed(start, use, max(BASE_ALIGNMENT, home.alignment))
            for op, use in draft.scratch.items():
                yield op, _trimmed(start, use, max(BASE_ALIGNMENT, self.choices[op].scratch_alignment))

    def _whole(self) -> list[Tensor]:
        """All tensors of full size, those that exist before the first step first."""
        found = dict.fromkeys(self.graph.inputs)
        return list(found | dict.fromkeys(t for draft in self.drafts for t in (*draft.held, *draft.whole)))

    def _life(self, tensor: Tensor) -> Block:
        """A whole tensor through all stages in which it exists."""
        parts, first = list[Occupancy](), None
        for start, draft in zip(self.starts, self.drafts, strict=False):
            if tensor in draft.whole:
                parts.append(draft.whole[tensor])
            elif tensor in draft.held:
                parts.append(Occupancy.constant(len(draft.steps), tensor.nbytes))
            else:
                continue
            first = start if first is None else first
        assert first is not None
        return Block(first, Occupancy.joined(parts).moved(self.seat(tensor).start))

    def _full(self, tensor: Tensor, offsets: Mapping[object, int]) -> Full:
        root, start = self.seat(tensor)
        return Full(tensor, 0, offsets[root] + start)

    def _alignments(self) -> dict[Tensor, int]:
        """The strictest alignment any kernel asks of each tensor it touches."""
        found = {t: max(self.place.input_alignment, t.dtype.size) for t in self.graph.inputs}
        for op, choice in self.choices.items():
            for touched, needed in choice.alignments(op):
                tensor = self.lives.sources.of(touched)
                found[tensor] = max(found.get(tensor, 1), needed, tensor.dtype.size)
        return found

    def _buffers(self, offsets: Mapping[object, int]) -> Mapping[Tensor, Buffer]:
        found: dict[Tensor, Buffer] = {t: self._full(t, offsets) for t in self._whole()}
        for draft in self.drafts:
            for home, use in draft.homes:
                found.update(_members(home, use.largest, offsets[home]))
        for op in self.graph.ops:
            if op.is_view and op.x in found:
                found[op.y] = replace(found[op.x], tensor=op.y)
        return found


def _members(home: Home, nbytes: int, offset: int) -> Iterator[tuple[Tensor, Buffer]]:
    for tensor, at in home.members.items():
        if home.one_place and nbytes >= tensor.nbytes:
            yield tensor, Full(tensor, 0, offset)
        else:
            yield tensor, Ring(tensor, 0, offset, nbytes, at.row_step, at.shift % nbytes)


def _united(parts: Sequence[Block], alignment: int) -> Block:
    """Several tensors in one place."""
    start, stop = min(p.start for p in parts), max(p.stop for p in parts)
    use = Occupancy.at(stop - start, np.zeros(0, np.int64), 0)
    for part in parts:
        inside = slice(part.start - start, part.stop - start)
        np.minimum(use.low[inside], part.use.low, out=use.low[inside])
        np.maximum(use.high[inside], part.use.high, out=use.high[inside])
    return Block(start, use, alignment)


def _trimmed(start: int, use: Occupancy, alignment: int) -> Block:
    """Without the steps before and after its use."""
    busy = np.flatnonzero(use.sizes)
    first, last = int(busy[0]), int(busy[-1]) + 1
    return Block(start + first, Occupancy(use.low[first:last], use.high[first:last]), alignment)
