"""Weights of one byte each in a depthwise stream, and the code that makes words of them, once for each channel.

    word of bytes   a b c d        two words of weights

    X256   halves 256 a, 256 c and 256 b, 256 d     and(mask, w << 8)   and(mask, w)           2 instructions
    X2     halves 2 a, 2 c and 2 b, 2 d             sxtb16 and sadd16, twice                   4
    POLY   a + b * 2^21 and c + d * 2^21            and, then sxtb and smla by 2^13, twice     5

Times 256, a bias has room for a byte: the channel's shift, unless all share it.
Few words stay in registers. More go to a table on the stack, which is what the stream would be without bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

import numpy as np

from ...graph import Array
from . import isa
from .depthwise_frame import FRAME_BYTES, STREAM
from .depthwise_shape import FIELD
from .instr import Instr, Label, Line

SMALLEST, LARGEST = -128, 127  # weights
UNPACK_LOOP = Label(4)  # behind those of depthwise_rows.py
LARGEST_TABLE = 440  # bytes
MASK = 0xFF00FF00
SOURCE, LEFT, SPARE = "r2", "r3", "r12"
FACTOR = "lr"  # of polynomials
WORDS = ("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")


class Unpacking(Enum):
    """What words of bytes become."""

    X256 = "x256"
    X2 = "x2"
    POLY = "poly"

    @property
    def scale(self) -> int:
        """Bits by which weights are shifted up."""
        return {Unpacking.X256: 8, Unpacking.X2: 1, Unpacking.POLY: 0}[self]

    def stream_header(self, header: int) -> int:
        """Words before the weights, of so many: the shift is the last of four."""
        return 3 if self is Unpacking.X256 else header

    def prepare(self, spare: str) -> Iterator[Instr]:
        if self is Unpacking.X256:
            yield isa.not_pattern(spare, MASK ^ 0xFFFFFFFF)
        elif self is Unpacking.POLY:
            yield from isa.constant(FACTOR, 1 << FIELD - 8)

    def pair(self, low: str, high: str, spare: str) -> Iterator[Instr]:
        """Both words from the word of bytes in `high`."""
        if self is Unpacking.X256:
            yield from (isa.and_register(low, spare, high, 8), isa.and_register(high, spare, high))
        elif self is Unpacking.X2:
            yield from (*self.one(low, high, spare), isa.sxtb16(high, high, 8), isa.sadd16(high, high, high))
        else:
            yield from (isa.and_pattern(spare, high, MASK), isa.sxtb(low, high), isa.sxtb(high, high, 16))
            yield isa.smla("bb", low, spare, FACTOR, low)
            yield isa.smla("tb", high, spare, FACTOR, high)

    def one(self, word: str, source: str, spare: str) -> Iterator[Instr]:
        """The first word alone; of halves."""
        if self is Unpacking.X256:
            yield isa.and_register(word, spare, source, 8)
        else:
            yield from (isa.sxtb16(word, source), isa.sadd16(word, word, word))


def shift_from_bias(bias: str, shift: str) -> tuple[Instr, Instr]:
    return isa.uxtb(shift, bias), isa.sub_register(bias, bias, shift)


def fits(weights: Array) -> bool:
    return bool(weights.min(initial=0) >= SMALLEST and weights.max(initial=0) <= LARGEST)


def packed_words(words: int) -> int:
    """Words of bytes that so many words take."""
    return -(-words // 2)


def byte_words(parts: Array, how: Unpacking) -> Array:
    """[channels, words, low and high part] to [channels, words of bytes]."""
    channels, words, _ = parts.shape
    data = np.pad(parts, ((0, 0), (0, words % 2), (0, 0))).reshape(channels, -1, 2, 2) & 0xFF
    if how is not Unpacking.POLY:
        data = data.swapaxes(2, 3)
    return np.asarray((data.reshape(channels, -1, 4) << np.arange(0, 32, 8)).sum(axis=-1))


def table_bytes(header: int, words: int) -> int:
    """A multiple of 8."""
    return -(-(header + 2 * packed_words(words)) // 2) * 8


def to_registers(how: Unpacking, base: str, weights: tuple[str, ...]) -> Iterator[Instr]:
    """From where `base` points; where it pointed behind them is stored."""
    sources = tuple(weights[min(i + 1, len(weights) - 1)] for i in range(0, len(weights), 2))
    yield isa.ldm_next(base, sources)
    yield isa.str_(base, "sp", STREAM)
    yield from how.prepare(base)
    for first, source in zip(range(0, len(weights), 2), sources, strict=True):
        one = weights[first] == source
        yield from how.one(source, source, base) if one else how.pair(weights[first], source, base)


def to_table(how: Unpacking, header: int, words: int) -> Iterator[Line]:
    """What the stream holds first goes there as it is; r1 then points to the table."""
    turns, rest = divmod(2 * packed_words(words), len(WORDS))
    yield from (isa.ldr(SOURCE, "sp", STREAM), isa.add("r1", "sp", FRAME_BYTES))
    yield isa.ldm_next(SOURCE, WORDS[: how.stream_header(header)])
    if how.stream_header(header) < header:
        yield from shift_from_bias(WORDS[0], WORDS[3])
    yield isa.stm_next("r1", WORDS[:header])
    yield from how.prepare(SPARE)
    if turns > 1:
        yield from isa.constant(LEFT, turns)
        yield Label(UNPACK_LOOP.number, turns)
    if turns:
        yield from _some(how, WORDS)
    if turns > 1:
        yield from (isa.sub_flags(LEFT, LEFT, 1), isa.bne_back(UNPACK_LOOP))
    if rest:
        yield from _some(how, WORDS[:rest])
    yield from (isa.str_(SOURCE, "sp", STREAM), isa.add("r1", "sp", FRAME_BYTES))


def _some(how: Unpacking, words: tuple[str, ...]) -> Iterator[Instr]:
    """An even number of words."""
    yield isa.ldm_next(SOURCE, words[1::2])
    for low, high in zip(words[0::2], words[1::2], strict=True):
        yield from how.pair(low, high, SPARE)
    yield isa.stm_next("r1", words)
