"""Offsets: pack blocks whose bytes come and go into the smallest arena.

A block is the place of a tensor and of all that shares it, a ring, or a kernel's scratch. It knows which of its
bytes are in use at each step. Of two blocks that are in use together one stays below the other, step by step:
so a result may lie on the rows of its input that are dead by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..errors import InternalError
from .occupancy import NOWHERE, Occupancy
from .orders import Orders, Pairs

EFFORT = 100  # dead ends at one place, more each time


class Effort(NamedTuple):
    """How many dead ends in all, and at a glance; where to search, from the bound (0) to the best size known (1)."""

    most: int
    glance: int
    shares: tuple[float, ...]


FIRST_FIT = Effort(0, 0, ())  # no search at all
QUICK = Effort(300, 3, (0.99,))
STAGE = Effort(1000, 10, (0.8, 0.0, 0.99))  # for one stage alone
THOROUGH = Effort(4000, 25, (0.8, 0.0, 0.99, 0.4))


@dataclass(frozen=True, eq=False)
class Block:
    """`use` begins at step `start`."""

    start: int
    use: Occupancy
    alignment: int = 4

    @property
    def stop(self) -> int:
        return self.start + len(self.use.low)

    @cached_property
    def top(self) -> int:
        return self.use.top


@dataclass(frozen=True)
class Packing:
    """Offsets in the order of the blocks; `size` equals `lower_bound` where it is proven optimal.

    The bound holds for placements as described above: a block that jumps over another is not considered.
    """

    offsets: tuple[int, ...]
    size: int
    lower_bound: int


def pack(blocks: Sequence[Block], target: int = 0, effort: Effort = THOROUGH) -> Packing:
    """First fit in several orders; then a search over orders of pairs.

    Good enough is what meets the bound, or `target`.
    """
    bound = lower_bound(blocks)
    problem = _Problem(blocks)
    goal = max(bound, target)
    best = problem.first_fits(goal)
    if problem.size(best) > goal and effort.most:
        best, proven = _searched(problem, best, goal, effort)
        bound = proven if proven > goal else bound
    packing = Packing(best, problem.size(best), bound)
    if packing.size < bound:
        raise InternalError(f"a packing of {packing.size} bytes lies below its bound {bound}")
    return packing


def live_bytes(blocks: Sequence[Block]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Bytes in use, by step."""
    live = np.zeros(max((b.stop for b in blocks), default=0), np.int64)
    for block in blocks:
        live[block.start : block.stop] += block.use.sizes
    return live


def lower_bound(blocks: Sequence[Block]) -> int:
    """Most bytes in use at one step."""
    return int(live_bytes(blocks).max(initial=0))


_ORDERS: tuple[Callable[[Block], tuple[int, int]], ...] = (
    lambda b: (b.top, len(b.use.low)),
    lambda b: (int(b.use.sizes.sum()), b.top),
    lambda b: (len(b.use.low), b.top),
    lambda b: (-b.start, b.top),
    lambda b: (b.start, b.top),
)


class _Problem:
    """Blocks and the least distances of those that are ever in use together."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.near: list[list[tuple[int, int, int]]] = [[] for _ in blocks]  # (other, gap if below it, gap if above)
        self.pairs = list(distances(blocks))
        for i, j, below, above in self.pairs:
            self.near[i].append((j, below, above))
            self.near[j].append((i, above, below))

    def size(self, offsets: Sequence[int]) -> int:
        return max((o + b.top for o, b in zip(offsets, self.blocks, strict=True)), default=0)

    def first_fits(self, goal: int) -> tuple[int, ...]:
        """The best of several orders."""
        best: tuple[int, ...] = ()
        for key in _ORDERS:
            order = sorted(range(len(self.blocks)), key=lambda i: key(self.blocks[i]), reverse=True)
            offsets = self.first_fit(order)
            if not best or self.size(offsets) < self.size(best):
                best = offsets
            if self.size(best) <= goal:
                break
        return best

    def first_fit(self, order: Sequence[int]) -> tuple[int, ...]:
        placed: dict[int, int] = {}
        for index in order:
            placed[index] = self.lowest(index, placed)
        return tuple(placed[i] for i in range(len(self.blocks)))

    def lowest(self, index: int, placed: dict[int, int]) -> int:
        """The lowest offset that keeps clear of everything placed."""
        taken = sorted((placed[j] - below, placed[j] + above) for j, below, above in self.near[index] if j in placed)
        alignment = self.blocks[index].alignment
        offset = 0
        for start, stop in taken:
            if offset <= start:
                break
            if offset < stop:
                offset = -(-stop // alignment) * alignment
        return offset


def distances(blocks: Sequence[Block]) -> Iterator[tuple[int, int, int, int]]:
    """(i, j, how far j must start after i to lie above it, how far i after j) of all that get in each other's way."""
    by_start = sorted(range(len(blocks)), key=lambda i: blocks[i].start)
    for n, i in enumerate(by_start):
        for j in by_start[n + 1 :]:
            if blocks[j].start >= blocks[i].stop:
                break
            below, above = _gaps(blocks[i], blocks[j])
            if below + above > 0:
                yield i, j, below, above


def _gaps(a: Block, b: Block) -> tuple[int, int]:
    start, stop = max(a.start, b.start), min(a.stop, b.stop)
    x, y = slice(start - a.start, stop - a.start), slice(start - b.start, stop - b.start)
    below = int((a.use.high[x] - b.use.low[y]).max())
    above = int((b.use.high[y] - a.use.low[x]).max())
    return max(below, -NOWHERE // 4), max(above, -NOWHERE // 4)


def _searched(problem: _Problem, best: tuple[int, ...], goal: int, effort: Effort) -> tuple[tuple[int, ...], int]:
    """Offsets in less memory, and a bound that none can beat: the goal, unless a larger one is proven."""
    search = _Search(problem, best, max(goal, *(b.top for b in problem.blocks)), effort)
    search.raise_bound()
    search.alternate()
    return search.best, search.bound


class _Search:
    """Tries several sizes in turn: it is luck which of them is hard, and often the least possible is not."""

    def __init__(self, problem: _Problem, best: tuple[int, ...], bound: int, effort: Effort) -> None:
        self.problem, self.best, self.bound, self.effort = problem, best, bound, effort
        blocks = problem.blocks
        self.pairs = Pairs([b.top for b in blocks], [b.alignment for b in blocks], problem.pairs)
        self.size, self.failures = problem.size(best), 0

    @property
    def over(self) -> bool:
        return self.bound >= self.size or self.failures >= self.effort.most

    def raise_bound(self) -> None:
        """By bisection, as far as a size is easily seen to be too small."""
        unknown, size = self.size, self.bound
        while self.bound < min(unknown, self.size) and not self.over:
            orders = Orders(self.pairs)
            if not self._fits(orders, size, self.effort.glance):
                unknown = unknown if orders.impossible else size
            size = (self.bound + min(unknown, self.size)) // 2

    def alternate(self) -> None:
        """Search at several places between the bound and what is known, longer each time."""
        searches, most = dict[float, Orders](), 0
        while not self.over:
            most += EFFORT
            for share in self.effort.shares:
                self._descend(searches, share, most)

    def _descend(self, searches: dict[float, Orders], share: float, most: int) -> None:
        """Search at this place while it finds something."""
        found = True
        while found and not self.over:
            size = self.bound + int((self.size - 1 - self.bound) * share)
            before = searches.get(share)
            if before is None or before.impossible or before.size < size:
                searches[share] = Orders(self.pairs, before)
            found = self._fits(searches[share], size, most)

    def _fits(self, orders: Orders, size: int, most: int) -> bool:
        before = orders.failures
        found = orders.fit(size, min(most, self.effort.most - self.failures))
        self.failures += orders.failures - before
        if found is not None:
            self.best, self.size = found, self.problem.size(found)
        elif orders.impossible:
            self.bound = max(self.bound, size + 1)
        return found is not None
