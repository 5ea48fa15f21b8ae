"""Where to cut a network into stages, and how to walk each: shortest paths over the cut points.

A stage is an edge from one cut point to another. Its price (instructions) is known at once, its bytes only
after its calls have been scheduled; so edges are measured when a path would take them, cheapest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np

from ..errors import CannotMeet
from ..graph import Array, Graph, Op, Tensor
from ..target import Candidate, Form, Target
from .bounds import StageBounds
from .draft import Draft, Lives, measure
from .layout import stage_bytes
from .walk import AT_ONCE, Mode, Walk, call_count, make_walk, run_pixels

MOST_OPERATORS = 64  # of one stage
RUN_INSTRUCTIONS = 60  # of a kernel that is called for a run of pixels
CALL_INSTRUCTIONS = 12  # of a stage's loop, to call a layer's function
NO_LIMIT = 1 << 60  # of bytes


class Taste(Enum):
    """By what a kernel is chosen among those that a mode admits."""

    FAST = "fast"
    FRUGAL = "frugal"  # least scratch
    COMPACT = "compact"  # least flash


_PREFERENCE: Mapping[Taste, Callable[[Candidate], tuple[int, ...]]] = {
    Taste.FAST: lambda c: (c.instructions, c.scratch_bytes),
    Taste.FRUGAL: lambda c: (c.scratch_bytes, c.instructions),
    Taste.COMPACT: lambda c: (c.code_bytes + c.weight_bytes, c.instructions),
}


class Way(NamedTuple):
    """How to execute a run of operators."""

    mode: Mode
    taste: Taste


class Edge(NamedTuple):
    """Operators [begin, end) as one stage."""

    begin: int
    end: int
    way: Way


class Price(NamedTuple):
    """What an operator, a stage or a network costs, as far as kernels can tell beforehand."""

    instructions: float
    overhead: float  # the part of it that is there because kernels are called more than once

    def plus(self, other: Price) -> Price:
        return Price(self.instructions + other.instructions, self.overhead + other.overhead)


class Weight(Enum):
    """What a path is to have least of: an index into Price."""

    INSTRUCTIONS = 0
    OVERHEAD = 1


@dataclass(frozen=True)
class Path:
    """A partition of the network into stages."""

    edges: tuple[Edge, ...]
    price: Price
    peak: int  # of its worst stage


@dataclass(frozen=True)
class Terms:
    """What a path may cost: one of the two is enough."""

    instructions: float
    overhead: float = -1  # as a share of the same kernels called once; below 0: only the instructions count

    def met(self, path: Path) -> bool:
        instructions, overhead = path.price
        return instructions <= self.instructions or overhead <= self.overhead * (instructions - overhead)


ANY_PRICE = Terms(np.inf)


class Stages:
    """All possible stages of one network on one target, measured as needed."""

    def __init__(self, graph: Graph, target: Target) -> None:
        self.lives = Lives(graph)
        self.ops = self.lives.ops
        self._offers = {op: _offers(op, target) for op in self.ops}
        self._choices: dict[tuple[Op, Way], Candidate | None] = {}
        self._walks: dict[tuple[Op, Form, bool, int, Mode], Walk] = {}
        self._drafts: dict[Edge, Draft] = {}

    def choice(self, op: Op, way: Way) -> Candidate | None:
        """The kernel of an operator; None if it has none for this mode. By rows, a sink saves the whole input."""
        if (op, way) not in self._choices:
            fitting = [c for c in self._offers[op] if _fits(op, c, way.mode)]
            sinks = [c for c in fitting if c.form is Form.SINK and way.mode.rows != AT_ONCE]
            self._choices[op, way] = min(sinks or fitting, key=_PREFERENCE[way.taste], default=None)
        return self._choices[op, way]

    def execution(self, op: Op, way: Way) -> tuple[Candidate | None, int]:
        """All that a way decides for one operator, beside strips and parts: its kernel, and the pixels of a run."""
        choice = self.choice(op, way)
        return choice, run_pixels(op, choice, way.mode) if choice else 0

    def price(self, op: Op, way: Way) -> Price | None:
        choice = self.choice(op, way)
        if choice is None:
            return None
        calls, parts, runs = call_count(op, choice, way.mode)
        each = CALL_INSTRUCTIONS + (RUN_INSTRUCTIONS if runs else choice.call_instructions)
        more = (calls - 1) * each + parts * choice.part_instructions
        return Price(choice.instructions + CALL_INSTRUCTIONS + more, more)

    def draft(self, edge: Edge) -> Draft:
        if edge not in self._drafts:
            ops, mode = self.ops[edge.begin : edge.end], edge.way.mode
            choices = {op: c for op in ops if (c := self.choice(op, edge.way)) is not None}
            walks = [self.walk(op, c, mode) for op, c in choices.items()]
            self._drafts[edge] = measure(self.lives, edge.begin, mode, choices, walks)
        return self._drafts[edge]

    def walk(self, op: Op, choice: Candidate, mode: Mode) -> Walk:
        key = (op, choice.form, choice.splits_rows, choice.run_pixels, mode)
        if key not in self._walks:
            self._walks[key] = make_walk(op, choice, mode)
        return self._walks[key]

    def bounds(self, end: int, way: Way) -> Iterator[tuple[int, int]]:
        """(begin, a lower bound on its bytes) of the stages that end there, backwards."""
        found = StageBounds(self.lives, end, lambda op: self.replaces(op, way))
        for begin in _begins(end, way):
            choice = self.choice(self.ops[begin], way)
            if choice is None:
                return
            found.add(self.walk(self.ops[begin], choice, way.mode))
            yield begin, found.nbytes(begin)

    def window_bytes(self, op: Op, way: Way) -> Mapping[Tensor, int]:
        """The most that one call reads of each input."""
        choice = self.choice(op, way)
        if choice is None:
            return {}
        walk = self.walk(op, choice, way.mode)
        pairs = [(t, r) for t, r in zip(op.inputs, walk.reads, strict=True) if t is not None and r is not None]
        return {self.lives.sources.of(t): int((r[:, 1] - r[:, 0]).max(initial=0)) for t, r in pairs}

    def replaces(self, op: Op, way: Way) -> bool:
        """May the output share bytes with an input?"""
        choice = self.choice(op, way)
        return choice is not None and bool(choice.in_place or choice.by_channel or choice.places)


def _begins(end: int, way: Way) -> range:
    """Where a stage may begin that ends there, the shortest first."""
    most = 1 if way.mode.rows == AT_ONCE else MOST_OPERATORS
    return range(end - 1, max(-1, end - 1 - most), -1)


def _offers(op: Op, target: Target) -> tuple[Candidate, ...]:
    offers = target.candidates(op)
    if not offers:
        hint = "`tecompile ops` lists what is supported, with its limits"
        tensors = ", ".join(t.describe() for t in op.outputs or op.activations)
        raise CannotMeet(f"{op.label}: no kernel for {tensors}", hint)
    return offers


def _fits(op: Op, choice: Candidate, mode: Mode) -> bool:
    if mode.rows == AT_ONCE:
        return True
    if op.effects or len(op.outputs) > 1:
        return False
    if choice.form is Form.SINK:
        return not mode.upwards
    if choice.form is Form.WHOLE or not op.streams:
        return False
    return mode.chunks == 1 or _aligned(op, choice)


def _aligned(op: Op, choice: Candidate) -> bool:
    """Parts of rows begin at any pixel."""
    return all(tensor.pixel_bytes % needed == 0 for tensor, needed in choice.alignments(op))


@dataclass(eq=False)
class _Arrivals:
    """All edges that end at one cut point."""

    edges: list[Edge]
    begins: Array
    prices: Array  # [edges, 2]: instructions and overhead
    nbytes: Array  # a lower bound until measured
    measured: Array


class Search:
    """Paths over the edges of some ways to execute."""

    def __init__(self, stages: Stages, ways: Sequence[Way]) -> None:
        self.stages = stages
        self._count = len(stages.ops)
        lives = stages.lives
        self._cuts = [sum(t.nbytes for t in lives.at(cut)) for cut in range(self._count + 1)]
        self._found: list[list[tuple[Edge, Price, int]]] = [[] for _ in range(self._count + 1)]
        for number, way in enumerate(ways):
            self._collect(way, ways[:number])
        self._arrivals = [_arrivals(found) for found in self._found]
        self._index = {edge: i for arrivals in self._arrivals for i, edge in enumerate(arrivals.edges)}
        self._looked_at: set[tuple[int, Way]] = set()

    def cheapest(
        self, limit: int = NO_LIMIT, measure: bool = True, weight: Weight = Weight.INSTRUCTIONS
    ) -> Path | None:
        """The path with every stage within `limit` bytes; without measuring, by bounds alone."""
        best = np.full(self._count + 1, np.inf)
        best[0] = 0
        taken: dict[int, Edge] = {}
        for cut in range(1, self._count + 1):
            index = self._best_arrival(cut, best, limit, measure, weight)
            if index is not None:
                arrivals = self._arrivals[cut]
                taken[cut] = arrivals.edges[index]
                best[cut] = best[taken[cut].begin] + arrivals.prices[index, weight.value]
        return self._path(taken) if np.isfinite(best[-1]) else None

    def is_cheapest(self, path: Path) -> bool:
        """Would it cost less with all the memory there is?"""
        fastest = self.cheapest(measure=False)
        return fastest is not None and path.price.instructions <= fastest.price.instructions

    def smallest(self, terms: Terms = ANY_PRICE, known: int = NO_LIMIT) -> Path:
        """The least peak of any stage on these terms, which can be met in `known` bytes."""
        bound = self._least(0, known, terms, measure=False)
        return self._least(bound.peak, known, terms, measure=True)

    def _least(self, low: int, known: int, terms: Terms, measure: bool) -> Path:
        path = self._within(known, terms, measure) or self._within(NO_LIMIT, terms, measure)
        assert path is not None  # the cheapest of all calls each kernel once
        high = path.peak
        while low < high:
            middle = (low + high) // 2
            trial = self._within(middle, terms, measure)
            if trial is not None:
                path, high = trial, trial.peak
            else:
                low = middle + 1
        return path

    def _within(self, limit: int, terms: Terms, measure: bool) -> Path | None:
        """A path on these terms: the cheapest, or one with slower kernels that are called less often."""
        for weight in Weight if terms.overhead >= 0 else [Weight.INSTRUCTIONS]:
            path = self.cheapest(limit, measure, weight)
            if path is None or terms.met(path):
                return path
        return None

    def refine(self, path: Path) -> Path | None:
        """Lay out each stage; None if one takes more than the path's peak, which the search then knows."""
        worse = [self._refine(edge, path.peak) for edge in path.edges]
        return None if any(worse) else path

    def _refine(self, edge: Edge, peak: int) -> bool:
        nbytes = stage_bytes(self.stages.draft(edge), peak)
        if nbytes <= peak:
            return False
        self._arrivals[edge.end].nbytes[self._index[edge]] = nbytes
        return True

    def _best_arrival(self, cut: int, best: Array, limit: int, measure: bool, weight: Weight) -> int | None:
        """The cheapest edge within the limit; edges are measured in the order of their price."""
        arrivals = self._arrivals[cut]
        totals = best[arrivals.begins] + arrivals.prices[:, weight.value]
        open_ = np.flatnonzero(np.isfinite(totals) & (arrivals.nbytes <= limit))
        for index in open_[np.argsort(totals[open_], kind="stable")]:
            if measure and not arrivals.measured[index] and self._bounded(arrivals, index) <= limit:
                self._measure(arrivals, index)
            if arrivals.nbytes[index] <= limit:
                return int(index)
        return None

    def _measure(self, arrivals: _Arrivals, index: int) -> None:
        """Learn the bytes of an edge, and something of those that begin alike and end later."""
        edge = arrivals.edges[index]
        draft = self.stages.draft(edge)
        arrivals.nbytes[index] = draft.peak
        arrivals.measured[index] = True
        lives = self.stages.lives
        if not lives.funnels(edge.begin, edge.end):
            return
        core = draft.core(lives)
        for end in range(edge.end + 1, self._count + 1):
            later = self._index.get(edge._replace(end=end))
            if later is None:
                break
            if lives.feeds(edge.end - 1, end - 1):
                nbytes = self._arrivals[end].nbytes
                nbytes[later] = max(nbytes[later], core)

    def _bounded(self, arrivals: _Arrivals, index: int) -> int:
        """The bytes of an edge after a closer look at all of its kind."""
        edge = arrivals.edges[index]
        if (edge.end, edge.way) not in self._looked_at:
            self._looked_at.add((edge.end, edge.way))
            for begin, nbytes in self.stages.bounds(edge.end, edge.way):
                other = self._index.get(edge._replace(begin=begin))
                if other is not None:
                    arrivals.nbytes[other] = max(arrivals.nbytes[other], nbytes)
        return int(arrivals.nbytes[index])

    def _path(self, taken: Mapping[int, Edge]) -> Path:
        edges, price, at = list[Edge](), Price(0, 0), self._count
        while at:
            edges.append(taken[at])
            price = price.plus(Price(*map(float, self._arrivals[at].prices[self._index[taken[at]]])))
            at = edges[-1].begin
        peak = max((self._bytes(edge) for edge in edges), default=0)
        return Path(tuple(reversed(edges)), price, peak)

    def _bytes(self, edge: Edge) -> int:
        return int(self._arrivals[edge.end].nbytes[self._index[edge]])

    def _collect(self, way: Way, others: Sequence[Way]) -> None:
        """Every run of operators that this way executes as none of the others does: price, bound on its bytes."""
        stages, lives = self.stages, self.stages.lives
        prices = [stages.price(op, way) for op in stages.ops]
        new = self._first_difference(way, others)
        rings = self._least_rings(way)
        for end in range(1, self._count + 1):
            total, ring = Price(0, 0), 0
            for begin in _begins(end, way):
                price = prices[begin]
                if price is None:
                    break
                total = total.plus(price)
                made = stages.ops[begin].outputs
                ring += sum(rings.get(t, 0) for t in made if begin < end - 1 and lives.used[t] < end)
                bound = max(self._cuts[begin], self._cuts[end], ring + self._held(begin, end))
                if begin <= new[end - 1]:
                    self._found[end].append((Edge(begin, end, way), total, bound))

    def _first_difference(self, way: Way, others: Sequence[Way]) -> list[int]:
        """For each end of a stage, the last beginning with which it differs from what each other way makes of it."""
        same = [other for other in others if replace(other.mode, runs=way.mode.runs) == way.mode]
        last, found = [-1] * len(same), list[int]()
        for number, op in enumerate(self.stages.ops):
            how = self.stages.execution(op, way)
            last = [n if self.stages.execution(op, o) == how else number for n, o in zip(last, same, strict=True)]
            found.append(min(last, default=self._count))
        return found

    def _held(self, begin: int, end: int) -> int:
        lives = self.stages.lives
        return sum(t.nbytes for t in lives.at(begin) if lives.used[t] >= end)

    def _least_rings(self, way: Way) -> dict[Tensor, int]:
        """For tensors that need a ring of their own, what its readers see of it at once."""
        windows: dict[Tensor, int] = {}
        for op in self.stages.ops:
            for tensor, nbytes in self.stages.window_bytes(op, way).items():
                windows[tensor] = max(windows.get(tensor, 0), nbytes)
        makers = {t: op for op in self.stages.ops for t in op.outputs}
        return {t: n for t, n in windows.items() if t in makers and not self.stages.replaces(makers[t], way)}


def _arrivals(found: Sequence[tuple[Edge, Price, int]]) -> _Arrivals:
    return _Arrivals(
        edges=[edge for edge, _, _ in found],
        begins=np.array([edge.begin for edge, _, _ in found], np.int64),
        prices=np.array([price for _, price, _ in found]).reshape(-1, 2),
        nbytes=np.array([bound for _, _, bound in found], np.int64),
        measured=np.zeros(len(found), np.bool_),
    )
