"""What an instruction is to a scheduler, a checker and a printer."""

from __future__ import annotations

from dataclasses import dataclass
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
    accumulator: str = ""  # what a multiplication adds to: needed later than its factors
    base: str = ""  # address register of loads and stores
    words: int = 1  # loaded or stored
    count: int = 1  # of executed instructions
    stack: int = 0  # bytes by which the stack pointer moves down
    target: str = ""  # of a branch: `1b`, `2f`

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Label:
    """A numeric local label, the target of branches."""

    number: int

    def __str__(self) -> str:
        return f"{self.number}:"


Line: TypeAlias = Instr | Label
