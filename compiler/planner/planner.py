"""The planner: which operators run together, with which kernels, where everything lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from itertools import product
from typing import TypeAlias

from ..errors import CannotMeet
from ..graph import Graph
from ..target import Target
from .allocate import FIRST_FIT, QUICK, THOROUGH, Effort, Packing
from .check import verify_alignment, verify_plan
from .draft import Draft
from .exact import pack_exactly
from .layout import Layout, Place
from .order import best_order
from .plan import Plan
from .search import NO_LIMIT, Edge, Path, Search, Stages, Taste, Terms, Way
from .walk import AT_ONCE, Mode

__all__ = ["Optimize", "Place", "Point", "front", "make_plan"]

SLOWER = 1.04  # than the fastest plan: what `balanced` may cost, 5 % with the error of the estimates
OVERHEAD = 0.04  # that calling the same kernels more often may cost to save memory, with the same reserve
STRIPS = (1, 2, 4)
PARTS = (2, 4, 8)  # of a row
MOST_TURNS = 5  # stages of which both directions are tried, in all combinations
Efforts: TypeAlias = tuple[tuple[Effort, int], ...]
EFFORTS: Efforts = ((QUICK, 8), (THOROUGH, 2))  # for the best so many of those combinations
MOST_EXACT = 4
MOST_RETRIES = 4  # with less memory for each stage, where all together take more than the worst of them
ABOVE, NEAR, NEARER = 0.13, 0.002, 0.6  # how far above the memory there is a path may still fit, and steps to there
CLOSE = 0.01  # of that memory: what more would not be worth a search
WORTH = 1.002  # times as fast: what is
FRONT_TURNS = 3
FRONT_STEP = 0.97  # of the memory of one point of the front: what the next may have

Report = Callable[[str], None]


class Optimize(Enum):
    """What to prefer among plans that give the same bytes."""

    BALANCED = "balanced"
    RAM = "ram"
    SPEED = "speed"
    SIZE = "size"


@dataclass(frozen=True)
class Point:
    """A plan among others: what it takes and what it costs."""

    arena_bytes: int
    instructions: int  # estimated
    calls: int
    stages: int


def make_plan(
    graph: Graph,
    target: Target,
    place: Place,
    optimize: Optimize = Optimize.BALANCED,
    most: int | None = None,
    exact: bool = False,
) -> Plan:
    """A checked plan with everything in one memory, in at most `most` bytes of it if that can be."""
    limit = place.nbytes if most is None else min(most, place.nbytes)
    planner = _Planner(graph, target, place, exact)
    plan = planner.run(optimize, limit)
    if plan.arena_bytes > place.nbytes:  # before it is replayed, which takes eight times as much here
        raise CannotMeet(
            f"{graph.name} does not fit: needs {plan.arena_bytes:,} bytes of {place.memory}, it has {place.nbytes:,}",
            "try --optimize ram, a smaller input or network, or a board with more memory",
        )
    verify_plan(plan)
    verify_alignment(plan)
    return plan


def front(graph: Graph, target: Target, place: Place, report: Report = lambda _: None) -> list[Point]:
    """From the fastest plan to the smallest: each needs less memory than the one before, and more instructions."""
    found = list[Point]()
    for point in _Planner(graph, target, place).front():
        report(f"{point.arena_bytes:,} bytes")
        if not found or point.arena_bytes < found[-1].arena_bytes:
            found.append(point)
    return found


def by_row(tastes: Sequence[Taste]) -> list[Way]:
    modes = [Mode(AT_ONCE), *(Mode(rows, runs=runs) for rows in STRIPS for runs in (False, True))]
    return [Way(mode, taste) for mode in modes for taste in tastes]


def by_parts(tastes: Sequence[Taste]) -> list[Way]:
    """Also parts of rows."""
    return [*by_row(tastes), *(Way(Mode(1, parts), taste) for parts in PARTS for taste in tastes)]


class _Planner:
    def __init__(self, graph: Graph, target: Target, place: Place, exact: bool = False) -> None:
        self.graph, self.place, self.exact = replace(graph, ops=best_order(graph)), place, exact
        self.stages = Stages(self.graph, target)

    def run(self, optimize: Optimize, limit: int) -> Plan:
        """Rows are tried first: that is quick, and tells how little memory is worth a look at parts of rows."""
        tastes = _tastes(optimize)
        rows = Search(self.stages, by_row(tastes))
        path = _settled(rows, partial(_wanted, rows, optimize, limit, NO_LIMIT))
        if optimize is not Optimize.SPEED or path.peak > limit or not rows.is_cheapest(path):
            parts = Search(self.stages, by_parts(tastes))
            path = _settled(parts, partial(_wanted, parts, optimize, limit, path.peak))
            if optimize is Optimize.SPEED and (plan := self._just_above(limit, path, parts)) is not None:
                return plan
        return self._within(limit, path, tastes)

    def front(self) -> Iterator[Point]:
        search = Search(self.stages, by_parts(_tastes(Optimize.BALANCED)))
        limit, smallest = NO_LIMIT, _settled(search, search.smallest)
        while limit >= smallest.peak:
            path = _settled(search, partial(_cheapest, search, limit))
            yield self._point(path, FRONT_TURNS, EFFORTS[:1])
            limit = min(int(path.peak * FRONT_STEP), path.peak - 1)
        yield self._point(smallest, MOST_TURNS, EFFORTS)

    def _point(self, path: Path, turns: int, efforts: Efforts) -> Point:
        plan = self._laid_out(path, turns, efforts)
        return Point(plan.arena_bytes, round(path.price.instructions), len(plan.steps), len(plan.stages))

    def _just_above(self, limit: int, path: Path, search: Search) -> Plan | None:
        """A cheaper plan of stages that take a little too much each, but less when laid out together: turned, or in
        places that several of them share."""
        above = limit * ABOVE
        while above > limit * NEAR:
            other = _settled(search, partial(_cheapest, search, round(limit + above)))
            if other.peak <= limit or other.price.instructions * WORTH >= path.price.instructions:
                break
            plan = self._laid_out(other, FRONT_TURNS, EFFORTS[:1])
            if plan.arena_bytes <= limit:
                return plan
            above = min(other.peak - limit - 1, above * NEARER)
        return None

    def _within(self, limit: int, path: Path, tastes: Sequence[Taste]) -> Plan:
        """All stages together may take a little more than the worst of them alone."""
        plan, goal, large = self._laid_out(path), limit, path
        if plan.arena_bytes <= limit:
            return plan
        search = Search(self.stages, by_parts(tastes))
        for _ in range(MOST_RETRIES):
            goal = min(goal - max(plan.arena_bytes - limit, 4), large.peak - 1)
            small = _settled(search, partial(_cheapest, search, goal))
            plan = min(plan, self._laid_out(small), key=lambda p: p.arena_bytes)
            if plan.arena_bytes <= limit:
                return self._between(limit, plan, search, small, large)
            if small.peak > goal:
                break
            large = small
        return plan

    def _between(self, limit: int, plan: Plan, search: Search, small: Path, large: Path) -> Plan:
        """The goal may have been lowered too far: is there a cheaper path between the one that fits and the last
        that does not?"""
        low, high = small.peak, large.peak
        while high - low > limit * CLOSE and large.price.instructions * WORTH < small.price.instructions:
            middle = (low + high) // 2
            path = _settled(search, partial(_cheapest, search, middle))
            if path.price.instructions < small.price.instructions:
                trial = self._laid_out(path)
                if trial.arena_bytes > limit:
                    high, large = min(path.peak, middle), path
                    continue
                plan, small = trial, path
            low = middle
        return plan

    def _laid_out(self, path: Path, turns: int = MOST_TURNS, efforts: Efforts = EFFORTS) -> Plan:
        """Stages may run upwards: turn those that need it, in all combinations, until the arena is their peak."""
        layouts = [Layout(self.graph, self.stages.lives, drafts, self.place) for drafts in self._turned(path, turns)]
        tried = [(layout, layout.pack(path.peak, FIRST_FIT)) for layout in layouts]
        for effort, most in efforts:
            tried.sort(key=lambda pair: pair[1].size)
            if tried[0][1].size <= path.peak:
                break
            tried = [(layout, _smaller(packing, layout.pack(path.peak, effort))) for layout, packing in tried[:most]]
        if self.exact:
            tried = [(layout, pack_exactly(layout.blocks, packing)) for layout, packing in tried[:MOST_EXACT]]
        layout, packing = min(tried, key=lambda pair: pair[1].size)
        return layout.plan(packing)

    def _turned(self, path: Path, most: int) -> Iterator[list[Draft]]:
        """The same stages in other directions: only where results must take the place of inputs is there a choice."""
        drafts = [self.stages.draft(edge) for edge in path.edges]
        tops = [sum(use.top for _, use in draft.occupancies()) for draft in drafts]
        turns = [n for n, edge in enumerate(path.edges) if tops[n] > path.peak and self._can_turn(edge)]
        turns = sorted(turns, key=lambda n: tops[n])[-most:]
        for upwards in product((False, True), repeat=len(turns)):
            trial = list(drafts)
            for n, up in zip(turns, upwards, strict=True):
                trial[n] = self._turn(path.edges[n]) if up else drafts[n]
            yield trial

    def _can_turn(self, edge: Edge) -> bool:
        upwards = Way(replace(edge.way.mode, upwards=True), edge.way.taste)
        ops = self.stages.ops[edge.begin : edge.end]
        return edge.way.mode.rows != AT_ONCE and all(self.stages.choice(op, upwards) for op in ops)

    def _turn(self, edge: Edge) -> Draft:
        upwards = replace(edge.way.mode, upwards=True)
        return self.stages.draft(edge._replace(way=Way(upwards, edge.way.taste)))


def _tastes(optimize: Optimize) -> list[Taste]:
    return [Taste.COMPACT] if optimize is Optimize.SIZE else [Taste.FAST, Taste.FRUGAL]


def _wanted(search: Search, optimize: Optimize, limit: int, known: int) -> Path:
    """The path that was asked for; `known` bytes are enough for some path."""
    if optimize is Optimize.SPEED:
        return _cheapest(search, limit)
    fastest = search.cheapest(measure=False)
    assert fastest is not None
    balanced = Terms(fastest.price.instructions * SLOWER)
    if optimize is not Optimize.BALANCED:
        return search.smallest(replace(balanced, overhead=OVERHEAD), known)
    path = search.smallest(balanced, known)
    return path if path.peak <= limit else search.cheapest(limit) or path


def _cheapest(search: Search, limit: int) -> Path:
    return search.cheapest(limit) or search.smallest()


def _settled(search: Search, find: Callable[[], Path]) -> Path:
    """A path whose stages really take what the search believes."""
    while search.refine(path := find()) is None:
        pass
    return path


def _smaller(a: Packing, b: Packing) -> Packing:
    return min(a, b, key=lambda packing: packing.size)
