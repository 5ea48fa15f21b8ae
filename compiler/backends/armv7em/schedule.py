"""Another order of the same instructions, for a core with two issue slots.

Within a basic block, whoever has the longest way of latencies ahead goes first (list scheduling). Kept are

    registers and flags    who reads sees the same writer, last writers stay last
    stores                 among each other, and behind all loads before them: an output may lie over its input
    loads                  behind stores through the same register, or one computed from it: stack slots

So a load may move up across stores through other registers: a routine must not read through one register what
it wrote through another, unless a label or branch lies between. Nothing moves across those, nor across what
moves the stack pointer. An LDRD issues alone on the M7; as two loads, each fits beside a multiplication.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from typing import TypeVar

from .cycles import OPT, PESS, SLOT_0_ONLY, DualIssue
from .instr import Instr, Line, Unit

Option = TypeVar("Option")


def scheduled(lines: Iterable[Line]) -> tuple[Line, ...]:
    """All of a function."""
    runs = groupby(lines, key=lambda line: isinstance(line, Instr) and not line.stays)
    return tuple(line for moves, run in runs for line in (_moved(run) if moves else run))


def reordered(block: Sequence[Instr]) -> tuple[Instr, ...]:
    """The order that takes fewest cycles by OPT, then by PESS; the given one if none takes less."""
    return _reordered(tuple(block))


@lru_cache(maxsize=1024)  # the loops of one kernel have the same turns, whatever their length
def _reordered(block: tuple[Instr, ...]) -> tuple[Instr, ...]:
    orders = block, *(Issue(block, model).order() for model in (OPT, PESS))
    return least(orders, OPT.cycles, PESS.cycles)


def least(options: Iterable[Option], *costs: Callable[[Option], float]) -> Option:
    """By the first cost; by the next one where that leaves a choice; else the first."""
    left = list(dict.fromkeys(options))
    for cost in costs:
        if len(left) > 1:
            found = [cost(option) for option in left]
            left = [option for option, value in zip(left, found, strict=True) if value == min(found)]
    return left[0]


def taken_apart(lines: Iterable[Line], part: Fraction) -> tuple[Line, ...]:
    """Such a part of the loads of several words, evenly spread, as loads of one."""
    due, apart = Fraction(0), list[Line]()
    for line in lines:
        singles = line.singles if isinstance(line, Instr) else ()
        due += part if singles else 0
        apart += singles if singles and due >= 1 else [line]
        due -= int(due)
    return tuple(apart)


def _moved(run: Iterable[Line]) -> tuple[Instr, ...]:
    return reordered([line for line in run if isinstance(line, Instr)])


# --- who must stay behind whom -------------------------------------------------------------------------------


@dataclass(eq=False)
class Node:
    """An instruction in its block."""

    instr: Instr
    place: int
    followers: dict[Node, int] = field(default_factory=dict)  # who stays behind it, and by how many cycles
    waits_for: int = 0  # how many it follows that are not issued yet
    earliest: int = 0  # cycle
    ahead: int = 0  # the longest way to the end, in cycles

    def link(self, later: Node, cycles: int) -> None:
        if later is not self:
            later.waits_for += later not in self.followers
            self.followers[later] = max(cycles, self.followers.get(later, 0))

    def urgency(self) -> tuple[int, int]:
        return -self.ahead, self.place


def graph(block: Sequence[Instr], model: DualIssue) -> list[Node]:
    nodes = [Node(instr, place) for place, instr in enumerate(block)]
    _link_registers(nodes, model)
    _link_memory(nodes)
    for node in reversed(nodes):
        node.ahead = max((cycles + later.ahead for later, cycles in node.followers.items()), default=0)
    return nodes


def _link_registers(nodes: Iterable[Node], model: DualIssue) -> None:
    writer: dict[str, Node] = {}
    readers: defaultdict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        for register in node.instr.reads & writer.keys():
            by = writer[register]
            by.link(node, model.latency(by.instr, register, node.instr) + model.duration(by.instr) - 1)
        for register in node.instr.writes:
            for reader in readers.pop(register, ()):
                reader.link(node, 0)
            if register in writer:
                writer[register].link(node, 1)
            writer[register] = node
        for register in node.instr.reads - node.instr.writes:
            readers[register].append(node)


def _link_memory(nodes: Iterable[Node]) -> None:
    origins = Origins()
    loads: list[Node] = []  # since the last store
    last: Node | None = None  # store
    stores: dict[str, Node] = {}  # the last one to each origin
    for node in nodes:
        through = origins.of(node.instr.base)
        if node.instr.unit is Unit.LOAD:
            loads.append(node)
            for origin in through & stores.keys():
                stores[origin].link(node, 1)
        elif node.instr.unit is Unit.STORE:
            for before in [*loads, *([last] if last else [])]:
                before.link(node, 0)
            loads, last = [], node
            stores.update(dict.fromkeys(through, node))
        origins.follow(node)


class Origins:
    """From which registers, as they were when the block began, addresses have been computed."""

    def __init__(self) -> None:
        self._of: dict[str, frozenset[str]] = {}

    def of(self, register: str) -> frozenset[str]:
        return self._of.get(register, frozenset({register}))

    def follow(self, node: Node) -> None:
        instr = node.instr
        sources = instr.reads if instr.unit in (Unit.ALU, Unit.SHIFT) else instr.accumulators
        found = frozenset[str]().union(*map(self.of, sources - {"flags"})) or frozenset({f"of {node.place}"})
        for register in instr.writes - ({instr.base} if instr.steps else set()):
            self._of[register] = found


# --- list scheduling -----------------------------------------------------------------------------------------


class Issue:
    """A block being issued, cycle by cycle, the most urgent of those that are ready first."""

    def __init__(self, block: Sequence[Instr], model: DualIssue) -> None:
        self._model = model
        self._waiting = [node for node in graph(block, model) if not node.waits_for]
        self._clock = 0
        self._order: list[Instr] = []

    def order(self) -> tuple[Instr, ...]:
        while self._waiting:
            ready = self._ready()
            if ready:
                self._cycle(_for_slot_0(ready))
            else:
                self._clock = min(node.earliest for node in self._waiting)
        return tuple(self._order)

    def _ready(self) -> list[Node]:
        return sorted((n for n in self._waiting if n.earliest <= self._clock), key=Node.urgency)

    def _cycle(self, first: Node) -> None:
        self._issue(first)
        partners = (node for node in self._ready() if self._model.pairs(first.instr, node.instr))
        if second := next(partners, None):
            self._issue(second)
        self._clock += self._model.duration(first.instr)

    def _issue(self, node: Node) -> None:
        self._order.append(node.instr)
        self._waiting.remove(node)
        for later, cycles in node.followers.items():
            later.earliest = max(later.earliest, self._clock + cycles)
            later.waits_for -= 1
            if not later.waits_for:
                self._waiting.append(later)


def _for_slot_0(ready: Sequence[Node]) -> Node:
    """The most urgent of those that can't be second, beside which others can; else the most urgent."""
    only_there = (node for node in ready if node.instr.unit in SLOT_0_ONLY)
    return next(only_there, ready[0])
