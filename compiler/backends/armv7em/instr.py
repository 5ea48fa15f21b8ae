"""What an instruction is to a scheduler, a checker and a printer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias


class Unit(Enum):
    """What part of a core executes it."""

    ALU = "alu"
    SHIFT = "shift"  # the ALU behind the shifter: shifts, extensions, bit fields, shifted operands
    SIMD = "simd"  # halves and bytes, saturation
    MULTIPLY = "multiply"
    LOAD = "load"
    STORE = "store"
    BRANCH = "branch"


@dataclass(frozen=True)
class Instr:
    """One instruction, or an IT with the one that it guards."""

    text: str
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    unit: Unit = Unit.ALU
    accumulators: frozenset[str] = frozenset()  # what a multiplication adds to: needed later than its factors
    base: str = ""  # address register of loads and stores
    words: int = 1  # loaded or stored
    count: int = 1  # of executed instructions
    stack: int = 0  # bytes by which the stack pointer moves down
    target: str = ""  # of a branch: `1b`, `2f`
    singles: tuple[Instr, ...] = field(default=(), compare=False)  # a pair of loads: the same as two loads

    def __str__(self) -> str:
        return self.text

    @property
    def touches_memory(self) -> bool:
        return self.unit in (Unit.LOAD, Unit.STORE)

    @property
    def steps(self) -> bool:
        """Does an access move its base register?"""
        data = self.words if self.unit is Unit.LOAD else 0
        return self.base in self.writes and len(self.writes) > data

    @property
    def stays(self) -> bool:
        """Nothing may move across it, nor it itself: branches, returns, changes of the stack pointer."""
        return bool(self.stack or self.target or self.writes & {"sp", "pc"})


@dataclass(frozen=True)
class Label:
    """A numeric local label, the target of branches."""

    number: int
    turns: int = 0  # of the loop that begins here; 0 if unknown. For estimates only

    def __str__(self) -> str:
        return f"{self.number}:"


Line: TypeAlias = Instr | Label
