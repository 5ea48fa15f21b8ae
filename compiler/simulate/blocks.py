"""What code was executed, by basic block: what an estimate of cycles is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

FIRST_WIDE = 0x1D  # of a first halfword's five highest bits: from here on, instructions have four bytes


@dataclass(frozen=True, eq=False)
class CodeBlock:
    """Instructions that ran one after the other."""

    address: int
    code: bytes
    registers: tuple[int, ...]  # r0 to r12, sp and lr when it was first entered: they tell where its accesses go

    @cached_property
    def instructions(self) -> int:
        return sum(1 for _ in encodings(self.code))


Executed: TypeAlias = Mapping[CodeBlock, int]  # how often each was executed


def encodings(code: bytes) -> Iterator[bytes]:
    """Thumb code, instruction by instruction."""
    place = 0
    while place < len(code):
        length = 4 if code[place + 1] >> 3 >= FIRST_WIDE else 2
        yield code[place : place + length]
        place += length
