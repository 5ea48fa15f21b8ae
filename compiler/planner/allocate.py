"""Offsets: pack blocks that change size over time into the smallest arena.

A block is the memory of a tensor, of everything that lives in the same place (views, in-place
results), of a ring or of scratch. `sizes` gives its bytes at each moment it lives. Two blocks that are
live together must not touch: of any two, the lower one ends before the upper one begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..errors import InternalError

MOST_NODES = 20_000  # of the exact search, about a quarter of a second
MOST_BLOCKS = 300  # beyond, the search would get nowhere


@dataclass(frozen=True)
class Block:
    """`sizes[i]` bytes at moment `start + i`."""

    name: str
    start: int
    sizes: tuple[int, ...]
    alignment: int = 4

    @property
    def stop(self) -> int:
        return self.start + len(self.sizes)

    @property
    def largest(self) -> int:
        return max(self.sizes)

    @property
    def bytes_times_moments(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True)
class Packing:
    """Offsets in the order of the blocks; `size` equals `lower_bound` where it is proven optimal."""

    offsets: tuple[int, ...]
    size: int
    lower_bound: int


def pack(blocks: Sequence[Block]) -> Packing:
    """First fit in several orders; if none meets the bound, an exact search within a node limit."""
    bound = lower_bound(blocks)
    problem = _Problem(blocks)
    best: tuple[int, ...] | None = None
    for key in _ORDERS:
        offsets = problem.first_fit(sorted(range(len(blocks)), key=lambda i: key(blocks[i]), reverse=True))
        if best is None or problem.size(offsets) < problem.size(best):
            best = offsets
    assert best is not None
    if problem.size(best) > bound and len(blocks) <= MOST_BLOCKS:
        best = _Search(problem, best, bound).run()
    packing = Packing(best, problem.size(best), bound)
    if packing.size < bound:
        raise InternalError(f"a packing of {packing.size} bytes lies below its bound {bound}")
    return packing


def lower_bound(blocks: Sequence[Block]) -> int:
    """Most bytes live at one moment."""
    moments = range(max((b.stop for b in blocks), default=0))
    return max((sum(b.sizes[t - b.start] for b in blocks if b.start <= t < b.stop) for t in moments), default=0)


_ORDERS = (
    lambda b: (b.largest, len(b.sizes)),
    lambda b: (b.bytes_times_moments, b.largest),
    lambda b: (len(b.sizes), b.largest),
    lambda b: (-b.start, b.largest),
    lambda b: (b.start, b.largest),
)


class _Problem:
    """Pairwise gaps of a set of blocks."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.gaps = [[_gap(below, above) for above in blocks] for below in blocks]

    @cached_property
    def neighbours(self) -> list[list[int]]:
        """For each block those that are ever live together with it."""
        indices = range(len(self.blocks))
        return [[j for j in indices if j != i and (self.gaps[i][j] or self.gaps[j][i])] for i in indices]

    def size(self, offsets: Sequence[int]) -> int:
        return max((o + b.largest for o, b in zip(offsets, self.blocks, strict=True)), default=0)

    def align(self, index: int, offset: int) -> int:
        alignment = self.blocks[index].alignment
        return -(-offset // alignment) * alignment

    def first_fit(self, order: Sequence[int]) -> tuple[int, ...]:
        placed: dict[int, int] = {}
        for index in order:
            placed[index] = self._lowest(index, placed)
        return tuple(placed[i] for i in range(len(self.blocks)))

    def _lowest(self, index: int, placed: dict[int, int]) -> int:
        near = [j for j in self.neighbours[index] if j in placed]
        candidates = sorted({self.align(index, c) for c in (0, *(placed[j] + self.gaps[j][index] for j in near))})
        return next(o for o in candidates if all(self._apart(index, o, j, placed[j]) for j in near))

    def _apart(self, i: int, offset_i: int, j: int, offset_j: int) -> bool:
        return offset_i + self.gaps[i][j] <= offset_j or offset_j + self.gaps[j][i] <= offset_i


class _Search:
    """Depth first over placements in order of rising offsets, each block as low as it can go."""

    def __init__(self, problem: _Problem, best: tuple[int, ...], bound: int) -> None:
        self.problem = problem
        self.best = best
        self.best_size = problem.size(best)
        self.bound = bound
        self.nodes = 0

    def run(self) -> tuple[int, ...]:
        self._extend({}, [0] * len(self.problem.blocks))
        return self.best

    def _extend(self, placed: dict[int, int], floors: list[int]) -> None:
        """`floors` are the lowest offsets that blocks not yet placed may still take."""
        self.nodes += 1
        if len(placed) == len(floors):
            offsets = tuple(placed[i] for i in range(len(floors)))
            self.best, self.best_size = offsets, self.problem.size(offsets)
            return
        for index in sorted((i for i in range(len(floors)) if i not in placed), key=lambda i: floors[i]):
            if self.best_size <= self.bound or self.nodes > MOST_NODES:
                return
            self._place(index, placed, floors)

    def _place(self, index: int, placed: dict[int, int], floors: list[int]) -> None:
        blocks, gaps = self.problem.blocks, self.problem.gaps[index]
        offset = floors[index]
        raised = [
            self.problem.align(i, max(floor, offset + gaps[i], offset)) if i not in placed and i != index else floor
            for i, floor in enumerate(floors)
        ]
        if all(floor + block.largest < self.best_size for floor, block in zip(raised, blocks, strict=True)):
            self._extend({**placed, index: offset}, raised)


def _gap(below: Block, above: Block) -> int:
    """Bytes that `above` must start after `below` does: the most `below` takes while both live."""
    if below is above:
        return 0
    moments = range(max(below.start, above.start), min(below.stop, above.stop))
    return max((below.sizes[t - below.start] for t in moments), default=0)
