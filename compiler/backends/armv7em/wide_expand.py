"""Generator of operands for wide_block.py: the int16 inputs of four pixels, two to a word, word by word.

    r1 operands   r3 r8 r9 r10 pixels   r2 r4 r5 r6, r7 r11 r12 lr words of four pixels   r0 what is left

9 instructions for 4 inputs of 4 pixels: 8 LDR, one STM. Pixels lie at any distance from each other and at any
address; no byte beyond them is read. A last input without a partner gets a 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from . import isa
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED

PIXELS = ("r3", "r8", "r9", "r10")
FIRST, SECOND = ("r2", "r4", "r5", "r6"), ("r7", "r11", "r12", "lr")  # stored in rising order
TURN_WORDS = 4
LARGEST_STRAIGHT = 24  # words without a loop
ADDRESSES_SLOT, END_SLOT = 0, 4
STACK = 8
HEADER = "te_wide_operands.h"


# --- pixels at equal distances --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expansion:
    """What a kernel is generated for: one serves many depths."""

    depth: int

    @property
    def words(self) -> int:
        return self.depth // 2

    @property
    def stem(self) -> str:
        turns = "turns" if self.words >= TURN_WORDS else "none"
        return f"te_wide_expand4_{turns}_{self.words % TURN_WORDS}_{self.depth % 2}"


def expand_kernel(shape: Expansion) -> Function:
    """void expand(const int8_t *pixels, int32_t *operands, int32_t distance, int32_t turns)"""
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"])]
    lines += [isa.add_register("r8", "r0", "r2"), isa.add_register("r9", "r8", "r2")]
    lines += [isa.add_register("r10", "r9", "r2"), isa.move("lr", "r0"), isa.move("r0", "r3"), isa.move("r3", "lr")]
    turns, straight = divmod(shape.words, TURN_WORDS)
    if turns:
        lines += _turns(turns)
    lines += [*_words(straight), *_last_input(shape.depth % 2), isa.pop_return(CALLEE_SAVED)]
    return specified(shape.stem, "Operands of four pixels at equal distances", lines, arguments=4, generator=__doc__)


@lru_cache(maxsize=256)
def expand_routine(depth: int) -> Routine:
    parameters = ("const int8_t *pixels", "int32_t *operands", "int32_t distance", "int32_t turns")
    shape = Expansion(depth)
    numbers = (TURN_WORDS, shape.words % TURN_WORDS, depth % 2)
    return Routine(expand_kernel(shape), parameters, "te_wide_expand_twin", numbers, HEADER)


def turns_of(depth: int) -> int:
    """What that is told."""
    return depth // 2 // TURN_WORDS


# --- windows: segments at addresses of their own ----------------------------------------------------------------


@dataclass(frozen=True)
class Windows:
    """What a kernel is generated for."""

    segments: int  # rows of the window
    inputs: int  # of each
    pitch: int  # bytes from one pixel to the next; 0: each segment of each pixel has its own address

    @property
    def words(self) -> int:
        """Of operands, for one segment."""
        return (self.inputs + 1) // 2

    @property
    def loops(self) -> bool:
        """Over the segments."""
        return self.segments > 1 and self.segments * self.words > LARGEST_STRAIGHT

    @property
    def stem(self) -> str:
        pitch = f"_p{self.pitch}" if self.pitch else ""
        return f"te_wide_windows4_{self.segments}x{self.inputs}{pitch}"


def windows_kernel(shape: Windows) -> Function:
    """void expand(const int8_t *const *addresses, int32_t *operands)"""
    segment = Label(1, shape.segments)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), isa.grow_stack(STACK)]
    if shape.loops:
        step = 4 if shape.pitch else 16
        lines += [*isa.constant("r2", step * shape.segments), isa.add_register("r2", "r2", "r0")]
        lines += [isa.str_("r2", "sp", END_SLOT), segment, *_seen(shape), isa.str_("r0", "sp", ADDRESSES_SLOT)]
        lines += [*_segment(shape), isa.ldrd("r0", "r2", "sp", ADDRESSES_SLOT), isa.cmp("r0", "r2")]
        lines.append(isa.bne_back(segment))
    else:
        for at in range(shape.segments):
            lines += _seen(shape)
            if shape.words > LARGEST_STRAIGHT and at + 1 < shape.segments:
                lines.append(isa.str_("r0", "sp", ADDRESSES_SLOT))
            lines += _segment(shape)
    lines += [isa.shrink_stack(STACK), isa.pop_return(CALLEE_SAVED)]
    kind = "neighbours" if shape.pitch else "any pixels"
    return specified(shape.stem, f"Operands of the windows of four {kind}", lines, arguments=2, generator=__doc__)


@lru_cache(maxsize=256)
def windows_routine(shape: Windows) -> Routine:
    parameters = ("const int8_t *const *addresses", "int32_t *operands")
    numbers = (shape.segments, shape.inputs, shape.pitch)
    return Routine(windows_kernel(shape), parameters, "te_wide_windows_twin", numbers, HEADER)


def _seen(shape: Windows) -> Iterator[Instr]:
    """Addresses of a segment."""
    if not shape.pitch:
        yield isa.ldm_next("r0", PIXELS)
        return
    first, *others = PIXELS
    yield isa.ldr_next(first, "r0")
    for before, pixel in zip(PIXELS, others, strict=False):
        yield isa.add(pixel, before, shape.pitch)


def _segment(shape: Windows) -> Iterator[Line]:
    words = shape.inputs // 2
    if words > LARGEST_STRAIGHT:
        yield from isa.constant("r0", words // TURN_WORDS)
        yield from _turns(words // TURN_WORDS)
        words %= TURN_WORDS
    yield from _words(words)
    yield from _last_input(shape.inputs % 2)


# --- both -------------------------------------------------------------------------------------------------------


def _turns(turns: int) -> Iterator[Line]:
    """As many as r0 says."""
    turn = Label(2, turns)
    yield turn
    yield from (*_words(TURN_WORDS), isa.sub_flags("r0", "r0", 1), isa.bne_back(turn))


def _words(count: int) -> Iterator[Instr]:
    for _ in range(count // 2):
        yield from (*_loaded(FIRST), *_loaded(SECOND), isa.stm_next("r1", (*FIRST, *SECOND)))
    if count % 2:
        yield from (*_loaded(FIRST), isa.stm_next("r1", FIRST))


def _loaded(words: tuple[str, ...]) -> Iterator[Instr]:
    return (isa.ldr_next(word, pixel) for word, pixel in zip(words, PIXELS, strict=True))


def _last_input(count: int) -> Iterator[Instr]:
    if count:
        yield from (isa.ldrh(word, pixel) for word, pixel in zip(FIRST, PIXELS, strict=True))
        yield isa.stm_next("r1", FIRST)
