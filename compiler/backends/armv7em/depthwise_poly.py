"""Generator of depthwise convolutions on planes of polynomials: four products per SMLAL, stride 1.

With T = 2^21, a word of two pixels x0 + x1 T times a word of two weights w1 + w0 T is

    x0 w1  +  (x0 w0 + x1 w1) T  +  x1 w0 T^2                    t0, t1, t2: all of them are wanted
    y[2b] = t1(b)        y[2b + 1] = t2(b) + t0(b + 1)           of block b, the columns 2b and 2b + 1

Sums of t0 and t1 start at 2^20, so that fields never borrow; the proof is that they stay below that.

Register block: 1 channel, up to 3 blocks of 2 outputs.

    r0 plane   r1 stream   r2:r3 r4:r5 r6:r7 accumulators   r8 ... r11 weights   r12 lr operands

Where the stream holds bytes, r1 is the table on the stack that is made of them.

7x7, 3 blocks: 7 * (2 + 3 + 12) products and loads, 6 to start, 18 to take fields apart, 6 * 4 to finish.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from . import isa, lanes
from .depthwise_frame import CARRY, OUT
from .depthwise_pairs import LOWEST_OFFSET, load_words
from .depthwise_rows import count, from_taps, taps_offset, to_taps
from .depthwise_shape import FIELD, Sums
from .depthwise_unpack import Unpacking, packed_words, table_bytes, to_table
from .instr import Line

ACCUMULATORS = (("r2", "r3"), ("r4", "r5"), ("r6", "r7"))
WEIGHTS = ("r8", "r9", "r10", "r11")
OPERANDS = ("r12", "lr")
HALF = 1 << (FIELD - 1)
UPPER = 2 * FIELD - 32  # first bit of the third field in the upper word
FIRST_PART = 32 - FIELD  # bits of the second field in the lower word


@dataclass(frozen=True)
class PolyBlocks:
    """See `Blocks`."""

    sums: Sums
    scale: int  # accumulators are to come times 2^scale
    unpacking: Unpacking | None = None  # if the stream holds bytes

    out: ClassVar[None] = None
    loaded_out: ClassVar[str] = "r8"
    spoils_row: ClassVar[bool] = False
    temporaries: ClassVar[tuple[str, str]] = ("r2", "r4")

    @property
    def name(self) -> str:
        return f"te_dw_poly{'_bytes' if self.unpacking else ''}_{self.sums.stem}_e{self.scale}"

    @property
    def generator(self) -> str | None:
        return __doc__

    @property
    def purpose(self) -> str:
        rows, columns = self.sums.kernel
        return f"depthwise {rows}x{columns} of rows of {self.sums.columns} outputs, four products at a time"

    @property
    def keeps_stream(self) -> bool:
        return self.unpacking is None

    @property
    def _before_weights(self) -> int:
        return 1 + self.sums.requant.words

    @property
    def _all_words(self) -> int:
        return self.sums.kernel.rows * self.sums.poly_words

    @property
    def channel_words(self) -> int:
        return self._before_weights + (packed_words(self._all_words) if self.unpacking else self._all_words)

    @property
    def table_bytes(self) -> int:
        return table_bytes(self._before_weights, self._all_words) if self.unpacking else 0

    def channel(self) -> Iterator[Line]:
        return to_table(self.unpacking, self._before_weights, self._all_words) if self.unpacking else iter(())

    def cost(self, outputs: int) -> int:
        return segment_cost(self, outputs)

    def segment(self, outputs: int) -> Iterator[Line]:
        """The last block of an even number of outputs is there for t0 alone."""
        blocks = outputs // 2 + 1
        most = len(ACCUMULATORS)
        chunks = -(-blocks // most)
        for chunk in range(chunks):
            first, last = chunk * blocks // chunks, (chunk + 1) * blocks // chunks
            yield from self._sums(first, last, outputs)
            yield from self._results(first, last, outputs)

    def _sums(self, first: int, last: int, outputs: int) -> Iterator[Line]:
        sums = self.sums
        for low, high in ACCUMULATORS[: last - first]:
            yield from isa.constant(high, HALF << FIELD >> 32)
            yield isa.lsl(low, high, 32 - FIELD)  # HALF
        for row in range(sums.kernel.rows):
            yield from to_taps(sums, row)
            weights = WEIGHTS[: sums.poly_words]
            yield from load_words(weights, "r1", 4 * (self._before_weights + row * sums.poly_words))
            yield from self._row(first, last, outputs, taps_offset(sums, row))
        yield from from_taps(sums)

    def _row(self, first: int, last: int, outputs: int, offset: int) -> Iterator[Line]:
        words = {b: self._words(b, outputs) for b in range(first, last)}
        end = max(b + n for b, n in words.items())
        for word in range(first, end, 2):
            at, alone = offset + 4 * word, word + 1 == end
            yield from load_words(OPERANDS[: 1 if alone and at >= LOWEST_OFFSET else 2], "r0", at)
            for q, operand in zip(range(word, end), OPERANDS, strict=False):
                for b, n in words.items():
                    if 0 <= q - b < n:
                        yield isa.smlal(*ACCUMULATORS[b - first], operand, WEIGHTS[q - b])

    def _words(self, block: int, outputs: int) -> int:
        """Of weights; those of t0 alone are the second of each word."""
        sums = self.sums
        return (sums.start + sums.kernel.columns) // 2 if 2 * block == outputs else sums.poly_words

    def _results(self, first: int, last: int, outputs: int) -> Iterator[Line]:
        requant = self.sums.requant
        bias, mantissa, addend, shift = WEIGHTS
        yield from load_words(WEIGHTS[: 1 + requant.words], "r1", 0)
        found: list[tuple[int, str]] = []
        before = "lr"
        if first:
            yield isa.ldr("lr", "sp", CARRY)
        for block, (low, high) in zip(range(first, last), ACCUMULATORS, strict=False):
            if block:
                yield lanes.ubfx("r12", low, 0, FIELD)
                yield isa.add_shifted("r12", "r12", before, "asr", UPPER)
                yield isa.add_shifted(before, bias, "r12", "lsl", self.scale)
                found.append((2 * block - 1, before))
            if 2 * block < outputs:
                yield isa.lsr(low, low, FIELD)
                yield lanes.bfi(low, high, FIRST_PART, FIELD - FIRST_PART)
                yield isa.add_shifted(low, bias, low, "lsl", self.scale)
                found.append((2 * block, low))
            before = high
        if 2 * last <= outputs:
            yield isa.str_(before, "sp", CARRY)
        yield from requant.instructions([r for _, r in found], mantissa, addend, shift, "r12")
        yield isa.ldr(self.loaded_out, "sp", OUT)
        for output, register in found:
            yield isa.strb(register, self.loaded_out, output * self.sums.pixel_bytes)


@cache
def segment_cost(blocks: PolyBlocks, outputs: int) -> int:
    return count(list(blocks.segment(outputs)))
