"""The planner: which operators run together, with which kernels, where everything lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

from ..errors import CannotMeet
from ..graph import Graph, Op
from ..target import Candidate, Form, Target
from .check import verify_alignment, verify_plan
from .layout import lay_out
from .lifetime import Lifetimes
from .order import best_order
from .plan import Plan, Stage
from .schedule import schedule

MOST_BYTES = 1 << 26  # of an arena, where the memory itself has no end
STREAMED_RUN = 3  # operators in a streamed stage: expand, depthwise, project


class Optimize(Enum):
    """What to prefer among kernels that give the same bytes."""

    BALANCED = "balanced"
    RAM = "ram"
    SPEED = "speed"
    SIZE = "size"


# Kernels are chosen one by one, so choosing the smallest need not give the smallest plan: for RAM, all are tried.
PREFERENCES: Mapping[Optimize, tuple[Optimize, ...]] = {
    **{optimize: (optimize,) for optimize in Optimize},
    Optimize.RAM: (Optimize.RAM, Optimize.BALANCED, Optimize.SPEED, Optimize.SIZE),
}


@dataclass(frozen=True)
class Place:
    """Where the arena goes: a memory, how much it holds, what DMA and caches ask of the inputs' addresses."""

    memory: str
    nbytes: int = MOST_BYTES
    input_alignment: int = 1


def make_plan(graph: Graph, target: Target, place: Place, optimize: Optimize = Optimize.BALANCED) -> Plan:
    """A checked plan with everything in one memory."""
    graph = replace(graph, ops=best_order(graph))
    plan = min((_Planner(graph, target, place, p).run() for p in PREFERENCES[optimize]), key=lambda p: p.arena_bytes)
    if plan.arena_bytes > place.nbytes:  # before it is replayed, which takes eight times as much here
        raise CannotMeet(
            f"{graph.name} does not fit: needs {plan.arena_bytes:,} bytes of {place.memory}, it has {place.nbytes:,}",
            "try --optimize ram, a smaller input or network, or a board with more memory",
        )
    verify_plan(plan)
    verify_alignment(plan)
    return plan


class _Planner:
    def __init__(self, graph: Graph, target: Target, place: Place, optimize: Optimize) -> None:
        self.graph = graph
        self.place = place
        self.optimize = optimize
        self.readers = graph.consumers()
        self.ops = tuple(op for op in graph.ops if not op.is_view)
        self.offers = {op: target.candidates(op) for op in self.ops}
        for op, offers in self.offers.items():
            if not offers:
                raise CannotMeet(
                    f"{op.label}: no kernel for {op.y.describe()}",
                    "`tecompile ops` lists what is supported, with its limits",
                )

    def run(self) -> Plan:
        """Start layer by layer; stream the run of operators that pins the peak while that helps.

        Steps that lowered no peak in the end are taken back: rows cost instructions.
        """
        plans = [self.plan([(op,) for op in self.ops])]
        while (better := self._best_stream(plans[-1])) is not None:
            plans.append(better)
        return min(plans, key=lambda plan: plan.arena_bytes)  # the first of several equal ones

    def plan(self, groups: Sequence[tuple[Op, ...]]) -> Plan:
        lifetimes = Lifetimes(self.graph, groups)
        choices = {op: self._choose(op, group, lifetimes, s) for s, group in enumerate(groups) for op in group}
        stages = [Stage(group, schedule(group, choices)) for group in groups]
        return lay_out(self.graph, stages, choices, self.place.memory, self.place.input_alignment)

    def _offers(self, op: Op, group: tuple[Op, ...]) -> tuple[Candidate, ...]:
        if len(group) == 1:
            return self.offers[op]
        return tuple(c for c in self.offers[op] if c.form is Form.STRIP)

    def _choose(self, op: Op, group: tuple[Op, ...], lifetimes: Lifetimes, moment: int) -> Candidate:
        offers = self._offers(op, group)

        def ram(choice: Candidate) -> int:
            alone = len(group) == 1 and any(_dies_here(op, i, lifetimes, moment) for i in choice.in_place)
            return choice.scratch_bytes + (0 if alone else op.y.nbytes)

        if self.optimize is Optimize.RAM:
            return min(offers, key=lambda c: (ram(c), c.instructions))
        if self.optimize is Optimize.SIZE:
            return min(offers, key=lambda c: (c.code_bytes + c.weight_bytes, ram(c)))
        fastest = min(c.instructions for c in offers)
        if self.optimize is Optimize.SPEED:
            return min(offers, key=lambda c: (c.instructions, ram(c)))
        return min((c for c in offers if c.instructions <= 1.05 * fastest), key=ram)

    def _best_stream(self, plan: Plan) -> Plan | None:
        """The best plan with one more streamed stage, if it is better than `plan`."""
        trials = [self.plan(groups) for groups in self._merges(plan)]
        best = min(trials, key=_demand, default=plan)
        return best if _demand(best) < _demand(plan) else None

    def _merges(self, plan: Plan) -> Iterator[list[tuple[Op, ...]]]:
        """All ways to join three neighbouring stages, one of which pins the peak."""
        groups = [stage.ops for stage in plan.stages]
        worst = max(range(len(groups)), key=lambda s: plan.live_bytes[s], default=0)
        for first in range(max(0, worst - STREAMED_RUN + 1), worst + 1):
            run = groups[first : first + STREAMED_RUN]
            if len(run) == STREAMED_RUN and self._may_stream(run):
                yield [*groups[:first], tuple(op for group in run for op in group), *groups[first + STREAMED_RUN :]]

    def _may_stream(self, run: Sequence[tuple[Op, ...]]) -> bool:
        """A chain of single operators, each the only reader of the one before, all computable by rows."""
        ops = [op for group in run for op in group]
        if len(ops) != STREAMED_RUN or not all(op.streams and self._offers(op, tuple(ops)) for op in ops):
            return False
        return all(self.readers[a.y] == (b,) and a.y not in self.graph.outputs for a, b in pairwise(ops))


def _demand(plan: Plan) -> tuple[int, list[int]]:
    """What a plan is judged by: its arena, then its worst stages. Of two equal peaks, removing one is progress."""
    return plan.arena_bytes, sorted(plan.live_bytes, reverse=True)


def _dies_here(op: Op, index: int, lifetimes: Lifetimes, moment: int) -> bool:
    source = op.inputs[index]
    return source is not None and not source.is_constant and lifetimes.death[source] <= moment
