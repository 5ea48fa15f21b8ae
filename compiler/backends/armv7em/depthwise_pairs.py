"""Generator of depthwise convolutions on planes of pixel pairs: two products per SMLAD.

Register block: 1 channel, up to 8 outputs of one row.

    r0 plane   [r1 stream]   two operands   weights   accumulators ...   [output]

Outputs whose window begins in an even column take the weights as w0 w1 | w2 w3 ..., those of odd columns as
w1 w2 | w3 w4 ...; the tap left over in either is half of a word of the other:

    y0 = smlad(x01, w01) + smlabt(x23, w12)        y1 = smlatb(x01, w01) + smlad(x23, w12)

A stride of 2 needs one of the two alone. Up to 6 words of weights stay in registers for the whole channel, more
are loaded row after row for each block; bytes are unpacked before. 3x3, stride 1, 4 outputs: 24 products, 6 loads
of pixels, 1 of the bias, 1 of the factor, 4 * 3 to finish = 44 instructions for 36 products.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from . import isa
from .depthwise_frame import BIAS, MANTISSA, OUT, ROW, STREAM
from .depthwise_rows import from_taps, taps_offset, to_taps
from .depthwise_shape import Sums
from .depthwise_unpack import (
    Unpacking,
    packed_words,
    shift_from_bias,
    table_bytes,
    to_registers,
    to_table,
)
from .instr import Instr, Line

ALL = ("r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr")
MOST_RESIDENT = 6  # words of weights
MOST_OUTPUTS = 8
LOWEST_OFFSET = -255  # of LDR


class Product(NamedTuple):
    """A word of pixels times a word of weights, into the accumulator of one output."""

    pixels: int
    output: int
    weights: int
    halves: str  # "" for both


@dataclass(frozen=True)
class PairBlocks:
    """See `Blocks`."""

    sums: Sums
    out: str | None
    unpacking: Unpacking | None = None  # if the stream holds bytes

    @property
    def name(self) -> str:
        return f"te_dw_{self.unpacking.value if self.unpacking else 'pairs'}_{self.sums.stem}"

    @property
    def generator(self) -> str | None:
        return __doc__

    @property
    def purpose(self) -> str:
        rows, columns = self.sums.kernel
        return f"depthwise {rows}x{columns} of rows of {self.sums.columns} outputs"

    @property
    def resident(self) -> bool:
        return self._words <= MOST_RESIDENT

    @property
    def keeps_stream(self) -> bool:
        return not self.resident and self.unpacking is None

    @property
    def channel_words(self) -> int:
        if self.unpacking is None:
            return self._finish_words + self._words
        return self.unpacking.stream_header(self._finish_words) + packed_words(self._words)

    @property
    def table_bytes(self) -> int:
        return table_bytes(self._finish_words, self._words) if self.unpacking and not self.resident else 0

    @property
    def _words(self) -> int:
        return self.sums.kernel.rows * self.sums.row_words

    @cached_property
    def _registers(self) -> tuple[str, ...]:
        return tuple(r for r in ALL if r != self.out)[0 if self.resident else 1 :]

    @property
    def operands(self) -> tuple[str, str]:
        return self._registers[0], self._registers[1]

    @property
    def _weights(self) -> tuple[str, ...]:
        return self._registers[2 : 2 + (self._words if self.resident else self.sums.row_words)]

    @property
    def _rest(self) -> tuple[str, ...]:
        return self._registers[2 + len(self._weights) :]

    @property
    def _needed(self) -> int:
        """Registers of requantisation."""
        requant = self.sums.requant
        return 2 + (requant.shift is None) + requant.twice

    def _free(self, outputs: int) -> tuple[str, ...]:
        """Behind the products of a block."""
        reloaded = () if self.resident else self._weights
        return (*self.operands, *reloaded, *self._rest[outputs:])

    @cached_property
    def spoils_row(self) -> bool:
        return any(len(self._free(n)) < self._needed for n in range(1, self.most + 1))

    @cached_property
    def most(self) -> int:
        """Outputs of one block; 0 if there is none."""
        spare = 0 if self.out else 1  # r0, if the frame holds it
        possible = [n for n in range(1, len(self._rest) + 1) if len(self._free(n)) + spare >= self._needed]
        return min(max(possible, default=0), MOST_OUTPUTS)

    @property
    def loaded_out(self) -> str:
        return self.operands[0]

    @property
    def temporaries(self) -> tuple[str, str]:
        """The last accumulators, or weights that are not resident."""
        free = tuple(r for r in self._free(0) if r not in (self.loaded_out, self.out))
        return free[-2], free[-1]

    def channel(self) -> Iterator[Line]:
        if self.resident:
            yield from self._resident()
        elif self.unpacking:
            yield from to_table(self.unpacking, self._finish_words, self._words)

    def _resident(self) -> Iterator[Line]:
        base, words = self.operands[0], self._finish_words
        loaded = self.unpacking.stream_header(words) if self.unpacking else words
        yield isa.ldr(base, "sp", STREAM)
        yield isa.ldm_next(base, ("r5", "r6", "r7", "r8")[:loaded])
        if loaded < words:
            yield from shift_from_bias("r5", "r8")
        yield isa.strd("r6", "r7", "sp", MANTISSA)
        yield isa.str_("r5", "sp", BIAS) if words == 3 else isa.strd("r8", "r5", "sp", BIAS - 4)
        if self.unpacking:
            yield from to_registers(self.unpacking, base, self._weights)
        else:
            yield from (isa.ldm_next(base, self._weights), isa.str_(base, "sp", STREAM))

    def cost(self, outputs: int) -> int:
        return best_cut(self, outputs)[0]

    def segment(self, outputs: int) -> Iterator[Line]:
        first = 0
        for n in best_cut(self, outputs)[1]:
            yield from self.block(first, n)
            first += n

    def block(self, first: int, outputs: int) -> Iterator[Line]:
        accumulators = self._rest[:outputs]
        yield from self._products(first, accumulators)
        yield from self._finish(first, accumulators)

    def _products(self, first: int, accumulators: Sequence[str]) -> Iterator[Line]:
        sums, products = self.sums, list(self._row_products(first, len(accumulators)))
        started: set[int] = set()
        yield self._bias(accumulators[-1])
        for row in range(sums.kernel.rows):
            yield from to_taps(sums, row)
            if not self.resident:
                yield from load_words(self._weights, "r1", 4 * (self._finish_words + row * sums.row_words))
            yield from self._row(products, row, accumulators, started)
        yield from from_taps(sums)

    @property
    def _finish_words(self) -> int:
        return 1 + self.sums.requant.words

    def _bias(self, register: str) -> Instr:
        return isa.ldr(register, "sp", BIAS) if self.resident else isa.ldr(register, "r1", 0)

    def _row(
        self, products: Sequence[Product], row: int, accumulators: Sequence[str], started: set[int]
    ) -> Iterator[Line]:
        words = sorted({p.pixels for p in products})
        for low, high in _pairs(range(words[0], words[-1] + 1)):
            at = taps_offset(self.sums, row) + 4 * low
            alone = high is None and at >= LOWEST_OFFSET  # below that, LDRD alone can reach
            yield from load_words(self.operands[: 1 if alone else 2], "r0", at)
            for word, operand in zip((low, high), self.operands, strict=True):
                for p in (p for p in products if p.pixels == word):
                    yield self._product(p, row, operand, accumulators, started)

    def _product(self, p: Product, row: int, operand: str, accumulators: Sequence[str], started: set[int]) -> Instr:
        """The bias waits in the last output's accumulator, whose window begins last: others start from it."""
        weight = self._weights[p.weights + (row * self.sums.row_words if self.resident else 0)]
        acc = accumulators[p.output]
        source = acc if p.output in started else accumulators[-1]
        started.add(p.output)
        return isa.smla(p.halves, acc, operand, weight, source) if p.halves else isa.smlad(acc, operand, weight, source)

    def _row_products(self, first: int, outputs: int) -> Iterator[Product]:
        """Of one row of taps, in the order in which outputs must begin."""
        for output in range(outputs):
            column = (first + output) * self.sums.stride.columns
            found = self._both(column + self.sums.start) if self.sums.both else self._one(column)
            yield from (Product(word, output, weights, halves) for word, weights, halves in found)

    def _one(self, column: int) -> Iterator[tuple[int, int, str]]:
        """All windows begin alike; in odd columns, the first word has a weight of 0."""
        for j in range(self.sums.row_words):
            yield column // 2 + j, j, ""

    def _both(self, column: int) -> Iterator[tuple[int, int, str]]:
        taps, word, even = self.sums.kernel.columns, column // 2, self.sums.kernel.columns // 2
        if taps == 1:
            yield word, 0, "tb" if column % 2 else "bb"
        elif column % 2 == 0:
            yield from ((word + j, j, "") for j in range(even))
            if taps % 2:
                yield word + even, taps - 2, "bt"
        else:
            yield word, 0, "tb"
            yield from ((word + 1 + j, even + j, "") for j in range((taps - 1) // 2))
            if taps % 2 == 0:
                yield word + even, even - 1, "bt"

    def _finish(self, first: int, accumulators: Sequence[str]) -> Iterator[Line]:
        requant, free = self.sums.requant, self._free(len(accumulators))
        spoiled = len(free) < self._needed
        mantissa, addend, *others = (*free, "r0")
        shift = others.pop(0) if requant.shift is None else mantissa
        spare = others[0] if requant.twice else mantissa
        yield from self._load_factor((mantissa, addend, shift) if requant.shift is None else (mantissa, addend))
        yield from requant.instructions(accumulators, mantissa, addend, shift, spare)
        if self.out is None:
            yield isa.ldrd("r0", self.loaded_out, "sp", ROW) if spoiled else isa.ldr(self.loaded_out, "sp", OUT)
        out = self.out or self.loaded_out
        for output, acc in enumerate(accumulators, first):
            yield isa.strb(acc, out, output * self.sums.pixel_bytes)

    def _load_factor(self, registers: Sequence[str]) -> Iterator[Instr]:
        if not self.resident:
            yield from load_words(registers, "r1", 4)
        elif len(registers) == 3 and list(registers) == [r for r in ("r0", *ALL) if r in registers]:
            yield isa.ldm("sp", registers)
        else:
            yield from load_words(registers, "sp", MANTISSA)


@cache
def best_cut(blocks: PairBlocks, outputs: int) -> tuple[int, tuple[int, ...]]:
    """Blocks that compute so many outputs with the fewest instructions: these, and their sizes."""
    if outputs == 0:
        return 0, ()
    found = []
    for n in range(1, min(blocks.most, outputs) + 1):
        cost, cut = best_cut(blocks, outputs - n)
        found.append((cost + block_cost(blocks, (outputs - n) % 2, n), (*cut, n)))
    return min(found)


@cache
def block_cost(blocks: PairBlocks, first: int, outputs: int) -> int:
    return sum(line.count for line in blocks.block(first, outputs) if isinstance(line, Instr))


def load_words(registers: Sequence[str], base: str, offset: int) -> Iterator[Instr]:
    for i in range(0, len(registers) - 1, 2):
        yield isa.ldrd(registers[i], registers[i + 1], base, offset + 4 * i)
    if len(registers) % 2:
        yield isa.ldr(registers[-1], base, offset + 4 * (len(registers) - 1))


def _pairs(words: range) -> Iterator[tuple[int, int | None]]:
    for i in range(0, len(words), 2):
        yield words[i], words[i + 1] if i + 1 < len(words) else None
