"""Cycles by the rules that are known of the cores: an estimate, for choosing between orders of instructions.

No caches, no wait states; registers are ready where a block begins. One instruction at a time (M4, M33): loads
take 2 cycles, or 1 right behind another access, several words 1 more than there are, branches 3.

The M7 issues up to two neighbours in one cycle. The second is no multiplication and nothing with halves or
bytes; the two do not both access memory, do not both shift, and do not need each other. Results are there
one cycle later, those of loads and of multiplications as the settings say; a sum is there for the next
multiplication to add to at once, while addresses and what is shifted are needed one cycle early. Arm has
published none of this: the rules are what others measured (quinapalus.com/cm7cycles.html and
github.com/jnk0le/random), and where they disagree there are three settings. Compiled kernels of known speed
lie at `CAL`; `OPT` decides; `PESS` breaks ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .instr import Instr, Label, Line, Unit

SLOT_0_ONLY = frozenset({Unit.MULTIPLY, Unit.SIMD})
SHIFTER = frozenset({Unit.SHIFT, Unit.SIMD})
UNKNOWN_TURNS = 8  # of a loop whose label does not tell


class Model(Protocol):
    """What estimates straight-line code."""

    def cycles(self, block: Sequence[Instr]) -> int: ...


@dataclass(frozen=True)
class SingleIssue:
    """Cortex-M4 and M33."""

    def cycles(self, block: Sequence[Instr]) -> int:
        behind_access = [False, *(instr.touches_memory and instr.words == 1 for instr in block)]
        return sum(map(self._alone, block, behind_access))

    def _alone(self, instr: Instr, behind_access: bool) -> int:
        if instr.touches_memory and instr.words > 1:
            return 1 + instr.words
        if instr.unit is Unit.LOAD:
            return 1 if behind_access else 2
        return 3 if instr.unit is Unit.BRANCH else instr.count


@dataclass(frozen=True)
class DualIssue:
    """Cortex-M7."""

    load_use: int  # cycles from a load to who reads the register
    multiply_use: int
    loads_pair: bool = False  # two loads of a word in one cycle?
    two_words_pair: bool = True  # LDRD and STRD beside another instruction?
    branch: int = 0  # cycles of a taken branch beyond its own

    def cycles(self, block: Sequence[Instr]) -> int:
        ready, clock, place = Ready(self), 0, 0
        while place < len(block):
            first = block[place]
            clock = max(clock, ready.when(first))
            ready.issue(first, clock)
            place += 1
            if place < len(block) and self.pairs(first, block[place]) and ready.when(block[place]) <= clock:
                ready.issue(block[place], clock)
                place += 1
            clock += self.duration(first)
        return clock + (self.branch if block and block[-1].unit is Unit.BRANCH else 0)

    def pairs(self, first: Instr, second: Instr) -> bool:
        """May they issue in one cycle, if both are ready?"""
        if second.unit in SLOT_0_ONLY or not (self._shares(first) and self._shares(second)):
            return False
        if first.touches_memory and second.touches_memory and not self._both_loads(first, second):
            return False
        if first.unit in SHIFTER and second.unit in SHIFTER:
            return False
        return not first.writes & (second.reads | second.writes)

    def duration(self, instr: Instr) -> int:
        """How long nothing else issues."""
        if not instr.touches_memory or instr.words <= 2:
            return 1
        return (instr.words + 1) // 2 + (not self.two_words_pair)

    def latency(self, producer: Instr, register: str, consumer: Instr) -> int:
        """From the issue of one to the earliest of the other, which reads what the first writes."""
        if producer.steps and register == producer.base:
            return 1
        if producer.unit is Unit.MULTIPLY and register in consumer.accumulators:
            return 1
        early = consumer.unit in SHIFTER or register == consumer.base
        if producer.unit is Unit.LOAD:
            return self.load_use + early
        return (self.multiply_use if producer.unit is Unit.MULTIPLY else 1) + early

    def _shares(self, instr: Instr) -> bool:
        words = 2 if self.two_words_pair else 1
        return instr.count == 1 and not (instr.touches_memory and instr.words > words)

    def _both_loads(self, first: Instr, second: Instr) -> bool:
        singles = first.words == second.words == 1
        return self.loads_pair and singles and first.unit is second.unit is Unit.LOAD


class Ready:
    """Who wrote each register last, and when."""

    def __init__(self, model: DualIssue) -> None:
        self._model = model
        self._last: dict[str, tuple[Instr, int]] = {}

    def issue(self, instr: Instr, clock: int) -> None:
        done = clock + self._model.duration(instr) - 1
        for register in instr.writes:
            self._last[register] = instr, done

    def when(self, instr: Instr) -> int:
        """The earliest cycle in which it finds all that it reads."""
        found = ((register, self._last[register]) for register in instr.reads if register in self._last)
        return max((done + self._model.latency(by, register, instr) for register, (by, done) in found), default=0)


M4 = SingleIssue()
CAL = DualIssue(load_use=1, multiply_use=1, loads_pair=True)
OPT = DualIssue(load_use=2, multiply_use=2)
PESS = DualIssue(load_use=3, multiply_use=3, two_words_pair=False, branch=1)


@dataclass(frozen=True)
class Block:
    """Instructions that are executed one after the other, and how often for one call."""

    instructions: tuple[Instr, ...]
    turns: int


def blocks(lines: Sequence[Line]) -> tuple[Block, ...]:
    """A block begins at a label and behind a branch. What may be skipped counts as if it never were."""
    found: list[tuple[list[Instr], int]] = []
    begins = True
    for line, turns in zip(lines, _turns(lines), strict=True):
        if isinstance(line, Label):
            begins = True
            continue
        if begins:
            found.append(([], turns))
        found[-1][0].append(line)
        begins = bool(line.target)
    return tuple(Block(tuple(instructions), turns) for instructions, turns in found)


def _turns(lines: Sequence[Line]) -> list[int]:
    """Of each line, the turns of all loops around it. A loop ends at the last branch back to its label."""
    turns = [1] * len(lines)
    for start, label in enumerate(lines):
        if isinstance(label, Label):
            for place in range(start, _loop_end(lines, start, label.number)):
                turns[place] *= label.turns or UNKNOWN_TURNS
    return turns


def _loop_end(lines: Sequence[Line], start: int, number: int) -> int:
    """Behind the last branch back to the label at `start`; `start` itself if none is."""
    end = start
    for place in range(start + 1, len(lines)):
        line = lines[place]
        if isinstance(line, Label) and line.number == number:
            break
        if isinstance(line, Instr) and line.target == f"{number}b":
            end = place + 1
    return end


def estimate(lines: Sequence[Line], model: Model) -> int:
    """Cycles of one call of a function."""
    return sum(block.turns * model.cycles(block.instructions) for block in blocks(lines))


def executed(lines: Sequence[Line]) -> int:
    """Instructions of it, by the same account."""
    return sum(block.turns * sum(instr.count for instr in block.instructions) for block in blocks(lines))
