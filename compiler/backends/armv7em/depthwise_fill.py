"""Generators of routines that copy pixels, four channels at a time, into planes.

As pairs, 16 values:  4 LDR, 8 SXTB16, 8 PKHBT or PKHTB, 4 STRD = 24 instructions.

    a b  two neighbours' words     a even, b even: channels 0 and 2     a odd, b odd: channels 1 and 3
    channel 0   pkhbt(a even, b even << 16)        channel 2   pkhtb(b even, a even >> 16)

As polynomials a + b * 2^21, 16 values: 4 LDR, 16 SXTB, 8 ADD, 4 STRD = 32 instructions.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from . import isa, lanes
from .depthwise_rows import advance, count, retreat
from .depthwise_shape import FIELD, TOGETHER
from .function import Function, specified
from .instr import Label, Line
from .isa import CALLEE_SAVED, LARGEST_OFFSET, LARGEST_PAIR_OFFSET

PARAMETERS = ("const int8_t *pixels", "uint32_t *planes", "int32_t rows", "int32_t step")
FREE = ("r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
ROW_LOOP, TURN_LOOP = Label(1), Label(2)
MOST_QUADS = 6  # unrolled: groups of four columns
TURNS_SLOT = 0

Words: TypeAlias = Generator[Line, None, tuple[str, ...]]  # code, and the registers of four channels' words


def fill_reaches(channel_bytes: int) -> bool:
    """Can STRD reach the last channel's plane, at any column of a turn?"""
    return (TOGETHER - 1) * channel_bytes + 8 * MOST_QUADS <= LARGEST_PAIR_OFFSET


@dataclass(frozen=True)
class Fill:
    """What such a routine is generated for."""

    poly: bool
    columns: int
    pixel_bytes: int
    channel_bytes: int  # of a plane row
    zero: int  # beside a last pixel that is alone; only polynomials need it

    @property
    def row_bytes(self) -> int:
        return TOGETHER * self.channel_bytes

    @property
    def name(self) -> str:
        kind = "poly" if self.poly else "pairs"
        return f"te_dw_fill_{kind}_w{self.columns}_c{self.pixel_bytes}_p{self.channel_bytes}"

    def function(self) -> Function:
        lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), isa.grow_stack(8), isa.move("lr", "r2")]
        lines += [isa.move("r12", "r3"), *retreat("r12", self._moved * self.pixel_bytes), ROW_LOOP, *self.row()]
        lines += [*self.row_end(), isa.shrink_stack(8), isa.pop_return(CALLEE_SAVED)]
        purpose = f"four channels of {self.columns} columns to planes"
        return specified(self.name, purpose, lines, arguments=4, generator=__doc__)

    def instructions(self, rows: int, calls: int = 1) -> int:
        """Executed for so many rows, all in all."""
        return 7 * calls + rows * self._row_instructions

    @cached_property
    def _row_instructions(self) -> int:
        loop = (2 + self._turns * 4) if self._turns > 1 else 0
        return self._turns * count(self._turn()) + loop + count(list(self._some(self._rest))) + count(self.row_end())

    @property
    def _turn_columns(self) -> int:
        """0, if a row is not cut."""
        if self.columns <= 4 * MOST_QUADS and (self.columns - 1) * self.pixel_bytes <= LARGEST_OFFSET:
            return 0
        reach = LARGEST_OFFSET // self.pixel_bytes + 1  # columns that LDR reaches
        quads = range(1, max(1, min(reach // 4, MOST_QUADS - 1)) + 1)
        found = min(quads, key=lambda q: (self.columns // (4 * q) * 6 + self.columns % (4 * q) * 2, -q))
        return 4 * found if reach >= 4 else 2

    @property
    def _turns(self) -> int:
        return self.columns // self._turn_columns if self._turn_columns else 0

    @property
    def _moved(self) -> int:
        """Columns by which a row's turns move the pointers."""
        return self._turns * self._turn_columns

    @property
    def _rest(self) -> int:
        return self.columns - self._moved

    def row(self) -> Iterator[Line]:
        if self._turns > 1:
            yield from isa.constant("r2", self._turns)
            yield isa.str_("r2", "sp", TURNS_SLOT)
            yield TURN_LOOP
        if self._turns:
            yield from self._turn()
        if self._turns > 1:
            yield from (isa.ldr("r2", "sp", TURNS_SLOT), isa.sub_flags("r2", "r2", 1))
            yield from (isa.str_("r2", "sp", TURNS_SLOT), isa.bne_back(TURN_LOOP))
        yield from self._some(self._rest)

    def row_end(self) -> list[Line]:
        lines: list[Line] = [isa.add_register("r0", "r0", "r12"), *advance("r1", self.row_bytes - 2 * self._moved)]
        return [*lines, isa.sub_flags("lr", "lr", 1), isa.bne_back(ROW_LOOP)]

    def _turn(self) -> list[Line]:
        columns = self._turn_columns
        moves = [*advance("r0", columns * self.pixel_bytes), *advance("r1", 2 * columns)]
        return [*self._some(columns), *moves] if columns else []

    def _some(self, columns: int) -> Iterator[Line]:
        for column in range(0, columns - columns % 4, 4):
            first = yield from self._pair(column, FREE)
            second = yield from self._pair(column + 2, [r for r in FREE if r not in first])
            for channel in range(TOGETHER):
                yield isa.strd(first[channel], second[channel], "r1", self._place(channel, column))
        if columns % 4 >= 2:
            alone = yield from self._pair(columns - columns % 4, FREE)
            for channel in range(TOGETHER):
                yield isa.str_(alone[channel], "r1", self._place(channel, columns - columns % 4))
        if columns % 2:
            yield from self._last_poly(columns - 1) if self.poly else self._last(columns - 1)

    def _place(self, channel: int, column: int) -> int:
        return channel * self.channel_bytes + 2 * column

    def _pair(self, column: int, free: Sequence[str]) -> Words:
        """Two columns of four channels to four words; returns their registers."""
        a, b = free[:2]
        yield from (isa.ldr(r, "r0", (column + i) * self.pixel_bytes) for i, r in enumerate((a, b)))
        return (yield from (_polynomials if self.poly else _halves)(free))

    def _last(self, column: int) -> Iterator[Line]:
        """The low halves of four words."""
        a, odd = FREE[:2]
        yield from (isa.ldr(a, "r0", column * self.pixel_bytes), isa.sxtb16(odd, a, 8), isa.sxtb16(a, a))
        for channels, word in (((0, 2), a), ((1, 3), odd)):
            yield isa.strh(word, "r1", self._place(channels[0], column))
            yield isa.lsr(word, word, 16)
            yield isa.strh(word, "r1", self._place(channels[1], column))

    def _last_poly(self, column: int) -> Iterator[Line]:
        a, value, zero = FREE[:3]
        yield isa.ldr(a, "r0", column * self.pixel_bytes)
        yield from isa.constant(zero, self.zero << FIELD)
        for channel in range(TOGETHER):
            yield isa.sxtb(value, a, 8 * channel)
            yield isa.add_register(value, value, zero)
            yield isa.str_(value, "r1", self._place(channel, column))


def _halves(free: Sequence[str]) -> Words:
    """Returns the registers of the four channels' words."""
    a, b, a_odd, b_odd, zero, two = free[:6]
    yield from (isa.sxtb16(a_odd, a, 8), isa.sxtb16(a, a), isa.sxtb16(b_odd, b, 8), isa.sxtb16(b, b))
    yield from (
        isa.pkhbt(zero, a, b),
        lanes.pkhtb(two, b, a),
        isa.pkhbt(b, a_odd, b_odd),
        lanes.pkhtb(b_odd, b_odd, a_odd),
    )
    return zero, b, two, b_odd


def _polynomials(free: Sequence[str]) -> Words:
    a, b, value, *words = free[:6]
    words.append(a)
    for channel, word in enumerate(words):
        yield isa.sxtb(value, b, 8 * channel)
        yield isa.sxtb(word, a, 8 * channel)
        yield isa.add_shifted(word, word, value, "lsl", FIELD)
    return tuple(words)


@dataclass(frozen=True)
class Keep:
    """A routine that moves plane rows up."""

    words: int  # of a row

    def function(self) -> Function:
        return specified(
            f"te_dw_keep_{self.words}",
            f"plane rows of {self.words} words, moved up",
            self._lines(),
            3,
            generator=__doc__,
        )

    def instructions(self, rows: int) -> int:
        """Executed in one call."""
        return 2 + rows * (count(self._lines()) - 2)

    def _lines(self) -> list[Line]:
        lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), ROW_LOOP]
        for done in range(0, self.words, len(FREE) - 2):  # a multiple of 4, as rows are
            words = FREE[1:-1][: self.words - done]
            lines += [isa.ldm_next("r1", words), isa.stm_next("r0", words)]
        return [*lines, isa.sub_flags("r2", "r2", 1), isa.bne_back(ROW_LOOP), isa.pop_return(CALLEE_SAVED)]
