"""The loops around a depthwise kernel's blocks: channels of a group, rows of a channel, turns of a wide row.

r0 plane row of the outputs (`above` rows further down, so that offsets reach all taps)      on the stack:
r1 weight stream, unless weights are resident                                                 the frame

for each channel: its plane and output, what `Blocks.channel` loads
    for each row: segments of outputs, unrolled; of a wide row, several turns of one and what is left
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from . import isa
from .cycles import executed
from .depthwise_frame import CHANNEL, CHANNELS, END, FRAME_BYTES, OUT, ROW, SPAN, STEP, STREAM, TURN_END
from .depthwise_shape import Sums
from .depthwise_unpack import Unpacking
from .function import Function, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED, LARGEST_OFFSET, LARGEST_PAIR_OFFSET

MOST_UNROLLED = 400  # instructions of a row
FAST_ENOUGH = 1.02  # times the instructions of the fastest, for less code
LONGEST_TURN = 24  # outputs

PARAMETERS = (
    "const uint32_t *planes",
    "const uint32_t *stream",
    "int8_t *out",
    "const te_planes_job_t *job",
)
CHANNEL_LOOP, ROW_LOOP, TURN_LOOP = Label(1), Label(2), Label(3)


@dataclass(frozen=True)
class Turns:
    """A row as `count` times `outputs`, and `rest` more of them."""

    count: int
    outputs: int
    rest: int

    @property
    def looped(self) -> int:
        return self.count * self.outputs


class Blocks(Protocol):
    """What a kernel computes between the loops."""

    @property
    def name(self) -> str: ...

    @property
    def purpose(self) -> str: ...

    @property
    def generator(self) -> str | None: ...

    @property
    def sums(self) -> Sums: ...

    @property
    def out(self) -> str | None:
        """The register that holds the output row; None: the frame does, at OUT."""
        ...

    @property
    def unpacking(self) -> Unpacking | None:
        """Of bytes in the stream."""
        ...

    @property
    def loaded_out(self) -> str:
        """The register to which `segment` loads it in that case."""
        ...

    @property
    def spoils_row(self) -> bool:
        """Do blocks need r0 for something else? Then the frame holds it, too, at ROW."""
        ...

    @property
    def temporaries(self) -> tuple[str, str]:
        """Registers that are free between blocks."""
        ...

    @property
    def keeps_stream(self) -> bool:
        """Does r1 hold the channel's part of the stream all the time?"""
        ...

    @property
    def channel_words(self) -> int:
        """Of the stream."""
        ...

    @property
    def table_bytes(self) -> int:
        """Of the stack, behind the frame: what `channel` unpacks; a multiple of 8."""
        ...

    def channel(self) -> Iterator[Line]:
        """Load what stays in registers or on the stack for one channel."""
        ...

    def cost(self, outputs: int) -> int:
        """The instructions of such a segment."""
        ...

    def segment(self, outputs: int) -> Iterator[Line]:
        """Compute so many outputs, of which the first lies where r0 and the output pointer stand."""
        ...


def above(sums: Sums) -> int:
    """Rows of taps above that where r0 points: where they are many, offsets go both ways."""
    return 0 if is_far(sums) or _reaches(sums, 0) else sums.kernel.rows // 2


def is_far(sums: Sums) -> bool:
    """Are rows too long to reach all taps from one place?"""
    return not (_reaches(sums, 0) or _reaches(sums, sums.kernel.rows // 2))


def taps_offset(sums: Sums, row: int) -> int:
    """From r0 to a row of taps."""
    return 0 if is_far(sums) else (row - above(sums)) * sums.row_bytes


def to_taps(sums: Sums, row: int) -> Iterator[Line]:
    """Where offsets do not reach, r0 goes from row to row,"""
    if is_far(sums) and row:
        yield from advance("r0", sums.row_bytes)


def from_taps(sums: Sums) -> Iterator[Line]:
    """and back in the end."""
    if is_far(sums):
        yield from retreat("r0", (sums.kernel.rows - 1) * sums.row_bytes)


def _reaches(sums: Sums, upwards: int) -> bool:
    below = (sums.kernel.rows - 1 - upwards) * sums.row_bytes + _widest(sums)
    return max(below, upwards * sums.row_bytes) <= LARGEST_PAIR_OFFSET


def _widest(sums: Sums) -> int:
    outputs = min(sums.columns, LONGEST_TURN)
    return min(sums.channel_bytes, 4 * ((outputs * sums.stride.columns + sums.kernel.columns) // 2 + 1))


def count(lines: Sequence[Line]) -> int:
    return sum(line.count for line in lines if isinstance(line, Instr))


@dataclass(frozen=True)
class Walker:
    """The whole routine around some blocks."""

    blocks: Blocks
    turns: Turns

    def function(self) -> Function:
        body = [*self.channel_start(), ROW_LOOP, *self.row(), *self.row_end(), *self.channel_end()]
        lines: list[Line] = [*self.prologue(), CHANNEL_LOOP, *body, isa.shrink_stack(self._frame_bytes)]
        lines.append(isa.pop_return(CALLEE_SAVED))
        return specified(self.blocks.name, self.blocks.purpose, lines, arguments=4, generator=self.blocks.generator)

    def instructions(self, groups: int, channels: int, rows: int, strips: int = 1) -> int:
        """Executed for all channels, by as many calls for each strip as there are groups."""
        call, channel = self._constant
        return strips * (groups * call + channels * channel) + channels * rows * self.row_instructions

    @cached_property
    def _constant(self) -> tuple[int, int]:
        """Of each call, and of each channel in it."""
        channel = [*self._channel_setup(), *self.channel_end()]
        return count(self.prologue()) + 2, count(channel) + executed(list(self.blocks.channel()))

    @cached_property
    def row_instructions(self) -> int:
        """Executed for one row."""
        turns, (turn, rest) = self.turns, self._costs()
        before = count(list(self._turn_end())) if turns.count > 1 else 0
        return before + turns.count * turn + rest + count(self.row_end())

    @cached_property
    def row_size(self) -> int:
        """Instructions that make a row."""
        return sum(self._costs())

    def _costs(self) -> tuple[int, int]:
        turns, cost = self.turns, self.blocks.cost
        turn = cost(turns.outputs) + count(list(self._next_turn())) if turns.count else 0
        return turn, cost(turns.rest) if turns.rest else 0

    def prologue(self) -> list[Line]:
        """Both ends of a channel know its plane and output as r0 and r4."""
        sums = self.blocks.sums
        lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), isa.grow_stack(self._frame_bytes)]
        lines += [isa.move("r4", "r2"), isa.ldm("r3", ("r5", "r6", "r7"))]
        lines += retreat("r5", self.turns.looped * sums.pixel_bytes)
        lines += [isa.str_("r5", "sp", STEP), isa.str_("r6", "sp", SPAN), isa.str_("r7", "sp", CHANNELS)]
        lines += advance("r0", above(sums) * sums.row_bytes)
        return lines if self.blocks.keeps_stream else [*lines, isa.str_("r1", "sp", STREAM)]

    @property
    def _frame_bytes(self) -> int:
        return FRAME_BYTES + self.blocks.table_bytes

    def channel_start(self) -> list[Line]:
        return [*self._channel_setup(), *self.blocks.channel()]

    def _channel_setup(self) -> list[Line]:
        lines: list[Line] = [isa.strd("r0", "r4", "sp", CHANNEL), isa.ldr("r5", "sp", SPAN)]
        lines += [isa.add_register("r5", "r5", "r0"), isa.str_("r5", "sp", END)]
        lines += [isa.move(self.blocks.out, "r4")] if self.blocks.out else list(self._save("r4"))
        return lines

    def channel_end(self) -> list[Line]:
        lines: list[Line] = [isa.ldrd("r0", "r4", "sp", CHANNEL), isa.ldr("r5", "sp", CHANNELS)]
        lines += [*advance("r0", self.blocks.sums.channel_bytes), isa.add("r4", "r4", 1)]
        if self.blocks.keeps_stream:
            lines += advance("r1", 4 * self.blocks.channel_words)
        lines += [isa.sub_flags("r5", "r5", 1), isa.str_("r5", "sp", CHANNELS), isa.bne_back(CHANNEL_LOOP)]
        return lines

    def row(self) -> list[Line]:
        turn, rest = self._parts()
        if self.turns.count < 2:
            return [*turn, *rest]
        return [*self._turn_end(), replace(TURN_LOOP, turns=self.turns.count), *turn, *rest]

    def row_end(self) -> list[Line]:
        sums = self.blocks.sums
        step, end = self.blocks.temporaries
        out = self.blocks.out or self.blocks.loaded_out
        lines: list[Line] = [isa.ldrd(step, end, "sp", STEP), isa.add_register(out, out, step)]
        done = self.turns.looped * sums.stride.columns * 2
        move = sums.stride.rows * sums.row_bytes - done
        lines += advance("r0", move) if move >= 0 else retreat("r0", -move)
        return [*lines, *self._save(out), isa.cmp("r0", end), isa.bne_back(ROW_LOOP)]

    def _parts(self) -> tuple[list[Line], list[Line]]:
        turns = self.turns
        turn = [*self.blocks.segment(turns.outputs), *self._next_turn()] if turns.count else []
        return turn, list(self.blocks.segment(turns.rest)) if turns.rest else []

    def _next_turn(self) -> Iterator[Line]:
        sums, (end, _) = self.blocks.sums, self.blocks.temporaries
        out = self.blocks.out or self.blocks.loaded_out
        yield from advance(out, self.turns.outputs * sums.pixel_bytes)
        yield from advance("r0", self.turns.outputs * sums.stride.columns * 2)
        yield from self._save(out)
        if self.turns.count > 1:
            yield from (isa.ldr(end, "sp", TURN_END), isa.cmp("r0", end), isa.bne_back(TURN_LOOP))

    def _turn_end(self) -> Iterator[Line]:
        end = self.blocks.temporaries[0]
        yield isa.add(end, "r0", self.turns.looped * self.blocks.sums.stride.columns * 2)
        yield isa.str_(end, "sp", TURN_END)

    def _save(self, out: str) -> Iterator[Line]:
        if self.blocks.out:
            return
        yield isa.strd("r0", out, "sp", ROW) if self.blocks.spoils_row else isa.str_(out, "sp", OUT)


def best_walker(blocks: Blocks) -> Walker | None:
    """The shortest way to cut rows that is about as fast as any, without too much code."""
    found = [Walker(blocks, turns) for turns in _all_turns(blocks.sums)]
    fitting = [walker for walker in found if walker.row_size <= MOST_UNROLLED] or found[:1]
    fastest = min((walker.row_instructions for walker in fitting), default=0)
    fast = [walker for walker in fitting if walker.row_instructions <= FAST_ENOUGH * fastest]
    return min(fast, key=lambda walker: (walker.row_size, walker.row_instructions), default=None)


def _all_turns(sums: Sums) -> Iterator[Turns]:
    columns, reach = sums.columns, LARGEST_OFFSET // sums.pixel_bytes + 1  # outputs that STRB reaches
    longest = min(columns, reach, LONGEST_TURN)
    for outputs in range(longest, 0, -1):
        if outputs * sums.stride.columns % 2:
            continue
        times = columns // outputs
        for turns in dict.fromkeys((times, max(1, times - 1))):
            rest = columns - turns * outputs
            if rest <= longest:
                yield Turns(turns, outputs, rest)
    if columns <= longest:
        yield Turns(0, 0, columns)


def advance(register: str, value: int) -> Iterator[Line]:
    for part in _steps(value):
        yield isa.add(register, register, part)


def retreat(register: str, value: int) -> Iterator[Line]:
    for part in _steps(value):
        yield isa.sub(register, register, part)


def _steps(value: int) -> Iterator[int]:
    for done in range(0, value, LARGEST_OFFSET):
        yield min(LARGEST_OFFSET, value - done)
