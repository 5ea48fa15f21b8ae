"""Machine code as the instruction objects that the cycle models know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from ..backends.armv7em.instr import Instr, Unit
from ..simulate.blocks import encodings
from .encodings import NARROW, WIDE

CORE = (*(f"r{i}" for i in range(13)), "sp", "lr", "pc")
FIXED = {"S": "sp", "L": "lr"}
NO_REGISTER = 15
WORD = 4  # bytes
LAST_OF_PUSH = 8  # in the lists of PUSH and POP: lr or pc


@dataclass(frozen=True)
class Encoding:
    """One line of the table."""

    width: int  # bits
    mask: int
    value: int
    fields: Mapping[str, tuple[int, ...]]  # places of their bits, from the most significant on
    unit: Unit
    detail: str  # what decides about the unit, or how much is loaded
    reads: str
    writes: str

    @classmethod
    def of(cls, line: str) -> Encoding:
        pattern, unit, registers = line.split()
        name, _, detail = unit.partition(":")
        reads, _, writes = registers.partition(">")
        places = [(letter, len(pattern) - 1 - i) for i, letter in enumerate(pattern) if letter not in "01-"]
        fields = {letter: tuple(at for other, at in places if other == letter) for letter, _ in places}
        mask = int("".join("1" if bit in "01" else "0" for bit in pattern), 2)
        value = int("".join("1" if bit == "1" else "0" for bit in pattern), 2)
        return cls(len(pattern), mask, value, fields, Unit(name), detail, reads, writes)

    def instr(self, word: int) -> Instr:
        base = re.search("@(.)", self.reads)
        return Instr(
            f"{word:0{self.width // 4}x}",
            frozenset(self._registers(self.reads, word)),
            frozenset(self._registers(self.writes, word)),
            self._unit(word),
            frozenset(self._registers("".join(re.findall(r"\+(.)", self.reads)), word)),
            base="".join(self._registers(base[1], word)) if base else "",
            words=self._words(word) if base else 1,
        )

    def loaded_bytes(self, word: int) -> int:
        if self.unit is not Unit.LOAD:
            return 0
        if self.detail == "b":
            return 1 << self._number("b", word)
        return int(self.detail) if self.detail else WORD * self._words(word)

    def _number(self, letter: str, word: int) -> int:
        number = 0
        for place in self.fields.get(letter, ()):
            number = number << 1 | word >> place & 1
        return number

    def _unit(self, word: int) -> Unit:
        if self.detail == "i" and self._number("i", word):
            return Unit.SHIFT
        return Unit.SIMD if self.detail == "n" and self._number("n", word) != NO_REGISTER else self.unit

    def _words(self, word: int) -> int:
        data = [c for c in self.reads + self.writes if c in "tuVWl"]
        return max(1, sum(1 if c in "tu" else len(list(self._registers(c, word))) for c in data))

    def _registers(self, letters: str, word: int) -> Iterator[str]:
        for letter in letters:
            if letter in FIXED:
                yield FIXED[letter]
            elif letter == "F":
                yield from () if "s" in self.fields and not self._number("s", word) else ("flags",)
            elif letter == "l":
                yield from self._list(word)
            elif letter in "NMVW":
                yield from self._floats(letter, word)
            elif letter in self.fields:
                number = self._number(letter, word)
                yield from () if number == NO_REGISTER and self.width == 32 else (CORE[number],)

    def _list(self, word: int) -> Iterator[str]:
        numbers = self._number("l", word)
        for number in range(len(self.fields["l"])):
            if numbers >> number & 1:
                short_last = len(self.fields["l"]) == LAST_OF_PUSH + 1 and number == LAST_OF_PUSH
                yield ("lr" if self.unit is Unit.STORE else "pc") if short_last else CORE[number]

    def _floats(self, letter: str, word: int) -> Iterator[str]:
        """Doubles are pairs of singles. Of five bits one is apart: the lowest of a single, the highest of a double."""
        number, double = self._number(letter.replace("W", "V"), word), self._number("z", word)
        apart, others = (number & 1, number >> 1) if letter == "N" else (number >> 4, number & 15)
        first = 2 * (apart << 4 | others) if double else others << 1 | apart
        count = self._number("w", word) if letter == "W" else 1 + double
        yield from (f"s{first + i}" for i in range(count))


ENCODINGS: Mapping[int, tuple[Encoding, ...]] = {
    nbytes: tuple(map(Encoding.of, table.split("\n")[1:-1])) for nbytes, table in ((2, NARROW), (4, WIDE))
}


@dataclass(frozen=True)
class Decoded:
    """An instruction, and what it loads."""

    instr: Instr
    loaded_bytes: int = 0


@cache
def decoded(code: bytes) -> tuple[Decoded, ...]:
    return tuple(map(_decoded, encodings(code)))


@cache
def _decoded(code: bytes) -> Decoded:
    """What the table does not have counts as one of the ALU that needs nothing."""
    word = int.from_bytes(code[:2], "little") << 16 | int.from_bytes(code[2:], "little")
    word = word if len(code) == WORD else word >> 16
    encoding = next((e for e in ENCODINGS[len(code)] if word & e.mask == e.value), None)
    return Decoded(encoding.instr(word), encoding.loaded_bytes(word)) if encoding else Decoded(Instr(code.hex()))
