"""Generator of routines that expand what four output pixels see, in the order of window_shape.py.

For every four inputs of four pixels:

    LDR x 4 (any address), 8 instructions that expand, STM of 8 words        13 for 16 inputs
    left over: LDRB or LDRH and ORR                                          up to 40

Where the stride is 1, neighbours share inputs: a word of each of the six pixels that four windows of three
taps see is loaded and expanded once, and stored three times, in 22 instructions instead of 39.

Three forms: pixels `pitch` bytes apart, with one address for each segment; the same where they share inputs;
and pixels anywhere, with four addresses for each segment.

    r0 addresses   r1 operands   r2 ... r5 A words   r6 ... r9 raw, then B words   r12 constant of A
    apart       lr address      r10 where its words end, spare      r11 where the addresses end
    anywhere    r0 r10 r11 lr addresses                             the others are on the stack
    neighbours  r0 address      r2 ... r7 A   r8 ... r12 lr raw, B  the others are on the stack
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cache

from ...errors import InternalError
from . import isa
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .operands import GROUP, LOW, RAW, Operands
from .window_shape import ADDRESS_BYTES, PIXELS, Expansion, Place

LARGEST_UNROLLED = 160  # instructions
LARGEST_SEGMENT_UNROLLED = 104
TURN = 52  # instructions of the body of a loop
PER_GROUP = 13
FARTHEST_BACK = 255  # that LDR reaches
X256_NOT_LOW, X256_HIGH = 0x007E007E, 0x007F007F  # see operands.py

EXTENDER = "r12"
ANYWHERE = ("r0", "r10", "r11", "lr")  # addresses of the four pixels
SHARED = ("r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr")
TABLE_SLOT, STEPS_END_SLOT, TABLE_END_SLOT, FRAME = 0, 4, 8, 16


@cache
def routine(expansion: Expansion) -> Routine:
    window = expansion.window
    numbers = (int(expansion.operands is Operands.X256), window.segments, window.segment, window.taps, expansion.pitch)
    parameters = ("const int8_t *const *addresses", "int32_t *operands")
    return Routine(_function(expansion), parameters, "te_expand_windows_twin", numbers, "te_expand_windows.h")


def _function(expansion: Expansion) -> Function:
    """void expand(const int8_t *const *addresses, int32_t *operands)"""
    window = expansion.window
    where = f"{expansion.pitch} bytes apart" if expansion.pitch else "anywhere"
    purpose = f"operands of 4 pixels {where}, each of which sees {window.segments} x {window.segment} bytes"
    return specified(expansion.stem, purpose, tuple(_walk(expansion).lines()), arguments=2, generator=__doc__)


def _walk(expansion: Expansion) -> _Walk:
    if not expansion.pitch:
        return _Anywhere(expansion)
    return _Neighbours(expansion) if expansion.window.taps > 1 else _Apart(expansion)


class _Walk(ABC):
    """Segment by segment, word by word; the forms know how to get there."""

    spare: str  # for bytes that are left over

    def __init__(self, expansion: Expansion) -> None:
        self.expansion, self.window = expansion, expansion.window
        segment = self.window.steps * self.per_step
        unrolled = self.window.segments * segment <= LARGEST_UNROLLED
        self.loops_segments = not unrolled and self.window.segments > 1
        self.loops_steps = not unrolled and segment > LARGEST_SEGMENT_UNROLLED

    @property
    def per_step(self) -> int:
        """Instructions."""
        return PER_GROUP * self.window.taps

    def lines(self) -> Iterator[Line]:
        yield isa.push([*CALLEE_SAVED, "lr"])
        yield from self.begin()
        if self.window.words:
            yield from self._segments()
        for tail in self.window.tails:
            yield from self._tail(tail)
        yield from self.end()
        yield isa.pop_return(CALLEE_SAVED)

    def _segments(self) -> Iterator[Line]:
        if self.loops_segments:
            turn = Label(1, self.window.segments)
            yield from (turn, *self._segment(), *self.table_left(), isa.bne_back(turn))
        else:
            for _ in range(self.window.segments):
                yield from self._segment()

    def _segment(self) -> Iterator[Line]:
        yield from self.next_segment()
        if self.loops_steps:
            at_once = max(TURN // self.per_step, 1)
            turns, first = divmod(self.window.steps, at_once)
            turn = Label(2, turns)
            yield from (*self.mark_end(), *self._steps(first))
            yield from (turn, *self._steps(at_once), *self.steps_left(), isa.bne_back(turn))
        else:
            yield from self._steps(self.window.steps)

    def _steps(self, count: int) -> Iterator[Line]:
        for _ in range(count):
            yield from self.next_step()

    def _tail(self, tail: Sequence[Place]) -> Iterator[Line]:
        """The first piece of each word is loaded, others are put in above it."""
        shift = 0
        for segment, byte, size in _pieces(tail):
            load = isa.ldrh if size == 2 else isa.ldrb
            yield from self.reach(segment)
            for pixel, raw in enumerate(RAW):
                at = self.address(pixel), byte + pixel * self.expansion.pitch
                yield load(self.spare if shift else raw, *at)
                if shift:
                    yield isa.orr_shifted(raw, raw, self.spare, "lsl", shift)
            shift += 8 * size
        yield from _expanded(self.expansion.operands)

    def table_offset(self, segment: int) -> int:
        """From where reading the words has led to: the end of the table, or its beginning if there are none."""
        return (segment - (self.window.segments if self.window.words else 0)) * self.expansion.address_bytes

    @abstractmethod
    def begin(self) -> Iterator[Line]: ...

    @abstractmethod
    def next_segment(self) -> Iterator[Line]:
        """Its address or addresses."""

    @abstractmethod
    def mark_end(self) -> Iterator[Line]:
        """Where the last step of this segment ends."""

    @abstractmethod
    def next_step(self) -> Iterator[Line]:
        """A word of every tap of each pixel; goes on to the next."""

    @abstractmethod
    def steps_left(self) -> Iterator[Line]: ...

    @abstractmethod
    def table_left(self) -> Iterator[Line]: ...

    @abstractmethod
    def reach(self, segment: int) -> Iterator[Line]:
        """Once more the address or addresses of a segment."""

    @abstractmethod
    def address(self, pixel: int) -> str: ...

    @abstractmethod
    def end(self) -> Iterator[Line]: ...


class _Apart(_Walk):
    """Pixels `pitch` bytes apart: one address for each segment."""

    spare = "r10"

    def begin(self) -> Iterator[Line]:
        if self.loops_segments:
            yield from _sum("r11", "r0", self.window.segments * ADDRESS_BYTES)
        yield from _extender(self.expansion.operands)

    def next_segment(self) -> Iterator[Line]:
        yield isa.ldr_next("lr", "r0")

    def mark_end(self) -> Iterator[Line]:
        return _sum("r10", "lr", self.window.steps * GROUP)

    def next_step(self) -> Iterator[Line]:
        yield isa.ldr_next(RAW[0], "lr")
        yield from (isa.ldr(RAW[p], "lr", p * self.expansion.pitch - GROUP) for p in range(1, PIXELS))
        yield from _expanded(self.expansion.operands)

    def steps_left(self) -> Iterator[Line]:
        yield isa.cmp("lr", "r10")

    def table_left(self) -> Iterator[Line]:
        yield isa.cmp("r0", "r11")

    def reach(self, segment: int) -> Iterator[Line]:
        offset = self.table_offset(segment)
        if offset < -FARTHEST_BACK:
            yield from (isa.sub("lr", "r0", -offset), isa.ldr("lr", "lr"))
        else:
            yield isa.ldr("lr", "r0", offset)

    def address(self, pixel: int) -> str:
        return "lr"

    def end(self) -> Iterator[Line]:
        return iter(())


class _OnStack(_Walk):
    """Where the table of addresses and the ends are on the stack: registers are short."""

    def begin(self) -> Iterator[Line]:
        yield from (isa.grow_stack(FRAME), isa.str_("r0", "sp", TABLE_SLOT))
        if self.loops_segments:
            yield from _sum(LOW[0], "r0", self.window.segments * self.expansion.address_bytes)
            yield isa.str_(LOW[0], "sp", TABLE_END_SLOT)

    def next_segment(self) -> Iterator[Line]:
        table = LOW[0]
        yield from (isa.ldr(table, "sp", TABLE_SLOT), self.load_addresses(table), isa.str_(table, "sp", TABLE_SLOT))

    @abstractmethod
    def load_addresses(self, table: str) -> Instr:
        """Of one segment; steps over them."""

    def mark_end(self) -> Iterator[Line]:
        yield from (*_sum(LOW[0], "r0", self.window.steps * GROUP), isa.str_(LOW[0], "sp", STEPS_END_SLOT))

    def steps_left(self) -> Iterator[Line]:
        yield from (isa.ldr(LOW[0], "sp", STEPS_END_SLOT), isa.cmp("r0", LOW[0]))

    def table_left(self) -> Iterator[Line]:
        yield from (isa.ldr(LOW[0], "sp", TABLE_SLOT), isa.ldr(LOW[1], "sp", TABLE_END_SLOT), isa.cmp(*LOW[:2]))

    def end(self) -> Iterator[Line]:
        yield isa.shrink_stack(FRAME)


class _Anywhere(_OnStack):
    """Each pixel has its own address for each segment."""

    spare = LOW[0]

    def begin(self) -> Iterator[Line]:
        yield from (*super().begin(), *_extender(self.expansion.operands))

    def load_addresses(self, table: str) -> Instr:
        return isa.ldm_next(table, ANYWHERE)

    def next_step(self) -> Iterator[Line]:
        for tap in range(self.window.taps):
            for raw, address in zip(RAW, ANYWHERE, strict=True):
                yield isa.ldr(raw, address, tap * self.window.tap - GROUP) if tap else isa.ldr_next(raw, address)
            yield from _expanded(self.expansion.operands)

    def reach(self, segment: int) -> Iterator[Line]:
        table, offset = LOW[0], self.table_offset(segment)
        yield isa.ldr(table, "sp", TABLE_SLOT)
        if offset:
            yield isa.add(table, table, offset) if offset > 0 else isa.sub(table, table, -offset)
        yield isa.ldm(table, ANYWHERE)

    def address(self, pixel: int) -> str:
        return ANYWHERE[pixel]


class _Neighbours(_OnStack):
    """Pixels side by side, which see taps of each other; nothing is left over."""

    @property
    def per_step(self) -> int:
        seen = PIXELS + self.window.taps - 1
        return 3 * seen + self.window.taps + 1

    def load_addresses(self, table: str) -> Instr:
        return isa.ldr_next("r0", table)

    def next_step(self) -> Iterator[Line]:
        """Registers rise as STM wants them. The constant of A stands where the last word A will."""
        seen = PIXELS + self.window.taps - 1
        low, raw = SHARED[:seen], SHARED[seen : 2 * seen]
        yield isa.ldr_next(raw[0], "r0")
        yield from (isa.ldr(raw[i], "r0", i * self.window.tap - GROUP) for i in range(1, seen))
        if self.expansion.operands is Operands.X256:
            yield isa.not_pattern(low[-1], X256_NOT_LOW)
        for a, b in zip(low, raw, strict=True):
            yield from _word(self.expansion.operands, a, b, low[-1])
        for tap in range(self.window.taps):
            yield isa.stm_next("r1", (*low[tap : tap + PIXELS], *raw[tap : tap + PIXELS]))

    def reach(self, segment: int) -> Iterator[Line]:
        raise InternalError("windows that share inputs have no bytes left over")

    def address(self, pixel: int) -> str:
        raise InternalError("windows that share inputs have no bytes left over")


def _pieces(tail: Sequence[Place]) -> Iterator[tuple[int, int, int]]:
    """Segment, byte and size of what one load brings."""
    i = 0
    while i < len(tail):
        segment, byte = tail[i]
        size = 2 if tail[i + 1 : i + 2] == ((segment, byte + 1),) else 1
        yield segment, byte, size
        i += size


def _extender(operands: Operands) -> tuple[Instr, ...]:
    return (isa.not_pattern(EXTENDER, X256_NOT_LOW),) if operands is Operands.X256 else ()


def _expanded(operands: Operands) -> Iterator[Instr]:
    """One word of each of four pixels."""
    for low, raw in zip(LOW, RAW, strict=True):
        yield from _word(operands, low, raw, EXTENDER)
    yield isa.stm_next("r1", (*LOW, *RAW))


def _word(operands: Operands, low: str, raw: str, extender: str) -> tuple[Instr, Instr]:
    if operands is Operands.X256:
        return isa.sxtab16(low, extender, raw), isa.eor_pattern(raw, raw, X256_HIGH)
    return isa.sxtb16(low, raw), isa.sxtb16(raw, raw, 8)


def _sum(rd: str, rn: str, value: int) -> Iterator[Instr]:
    if value <= isa.LARGEST_OFFSET:
        yield isa.add(rd, rn, value)
    else:
        yield from (*isa.constant(rd, value), isa.add_register(rd, rd, rn))
