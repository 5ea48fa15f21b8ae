"""Generator of depthwise convolutions on int16 inputs for Armv7E-M and Armv8-M with DSP.

Register block: 2 neighbouring channels x 4 neighbouring outputs of a row, inputs read where they lie.

    r0 row of the input   r1 weight stream   r2 r3 r12 weights of three taps   lr inputs of a pixel
    r4 ... r11 accumulators [channel 0: r4 r6 r8 r10], [channel 1: r5 r7 r9 r11]

A word holds a pixel's inputs of both channels, another the weights of a tap. For each row of a window: 1 LDR and
1 STR of its address, LDM of up to three weights, 1 LDR for each pixel, and for each product one SMLABB or SMLATT.

    3 taps, stride 1: 33 instructions for 24 products (1.38)      with all else, 3x3: 130 for 72 (1.81)

Windows over the left or right border are code of its own, without the taps outside; rows above and below are zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from . import isa
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .matrix_block import finish
from .requant import Requant

WEIGHTS = ("r2", "r3", "r12")
INPUT = "lr"
NEXT = 4  # bytes from two channels to the next
LARGEST_BACK = 255  # an offset of LDR
OUT_SLOT, STREAM_END_SLOT, ROWS_SLOT = 0, 4, 8
PARAMETERS = ("const int8_t *const *rows", "const uint32_t *stream", "int8_t *y", "const uint32_t *stream_end")


@dataclass(frozen=True)
class Window:
    """What one output sees."""

    rows: int
    taps: int  # of a row
    stride: int  # columns
    dilation: int


@dataclass(frozen=True)
class DepthwiseBlock:
    """What a kernel is generated for."""

    window: Window
    requant: Requant
    pitch: int  # bytes of a pixel, in and out
    outputs: int
    first: int  # column of the first output's first tap, as seen from the address of the row
    columns: int  # of the input, from there on: taps outside of 0 ... columns - 1 are left out
    passes: int  # over the channels; the code does not depend on it

    @property
    def stem(self) -> str:
        w, border = self.window, f"_from{self.first}_to{self.columns}" if self.has_border else ""
        shape = f"{w.rows}x{w.taps}_s{w.stride}_d{w.dilation}_x{self.outputs}{border}"
        return f"te_wide_dw_{shape}_c{self.pitch // 2}_{self.requant.stem}".replace("from-", "fromm")

    @property
    def has_border(self) -> bool:
        return self.first < 0 or self.last_column >= self.columns

    @property
    def last_column(self) -> int:
        return self.column(self.outputs - 1, self.window.taps - 1)

    @property
    def accumulators(self) -> tuple[tuple[str, ...], ...]:
        """[channel][output]"""
        return tuple(tuple(f"r{4 + 2 * o + c}" for o in range(self.outputs)) for c in (0, 1))

    def column(self, output: int, tap: int) -> int:
        return self.first + output * self.window.stride + tap * self.window.dilation

    def uses(self, taps: range) -> dict[int, list[tuple[int, int]]]:
        """Of each column, in rising order, for which outputs and taps it is wanted."""
        found: dict[int, list[tuple[int, int]]] = {}
        for output in range(self.outputs):
            for tap in taps:
                column = self.column(output, tap)
                if 0 <= column < self.columns:
                    found.setdefault(column, []).append((output, tap))
        return dict(sorted(found.items()))

    @property
    def chunks(self) -> tuple[range, ...]:
        """Taps of a row, as many at a time as have registers."""
        taps, most = self.window.taps, len(WEIGHTS)
        return tuple(range(tap, min(tap + most, taps)) for tap in range(0, taps, most))

    @property
    def late(self) -> tuple[int, ...]:
        """Outputs whose sums begin after the last one's, which holds the bias until then."""
        begun: list[int] = []
        for chunk in self.chunks:
            begun += [output for uses in self.uses(chunk).values() for output, _ in uses if output not in begun]
        last = self.outputs - 1
        early = begun[: begun.index(last)] if last in begun else begun
        return tuple(output for output in range(last) if output not in early)

    @property
    def stream_words(self) -> int:
        """Of two channels."""
        return 2 + self.window.rows * self.window.taps + 2 * self.requant.words


def block_kernel(block: DepthwiseBlock) -> Function:
    """All channels, two at a time, of neighbouring outputs."""
    again, room = Label(1, block.passes), ROWS_SLOT + 4 * (block.window.rows + block.window.rows % 2)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), isa.grow_stack(room), isa.strd("r2", "r3", "sp", OUT_SLOT)]
    for row in range(block.window.rows):
        lines += [isa.ldr("r4", "r0", 4 * row), isa.str_("r4", "sp", ROWS_SLOT + 4 * row)]
    lines += [again, *_biases(block)]
    begun = set(block.late)
    for row in range(block.window.rows):
        lines += _row(block, row, begun)
    lines += [isa.ldr("r0", "sp", OUT_SLOT), *finish(block.requant, block.accumulators, block.pitch)]
    lines += [isa.str_("r0", "sp", OUT_SLOT), isa.ldr("lr", "sp", STREAM_END_SLOT), isa.cmp("r1", "lr")]
    lines += [isa.bne_back(again), isa.shrink_stack(room), isa.pop_return(CALLEE_SAVED)]
    purpose = f"Depthwise convolution of {block.outputs} neighbours, all channels"
    return specified(block.stem, purpose, lines, arguments=4, generator=__doc__)


@lru_cache(maxsize=256)
def block_routine(block: DepthwiseBlock) -> Routine:
    w = block.window
    shape = (w.rows, w.taps, w.stride, w.dilation, block.pitch, block.outputs, block.first, block.columns)
    numbers = (*shape, *block.requant.twin_numbers)
    return Routine(block_kernel(block), PARAMETERS, "te_wide_depthwise_twin", numbers, "te_wide_depthwise.h")


def _biases(block: DepthwiseBlock) -> Iterator[Instr]:
    """Into the last output's accumulators, and those that do not begin before it."""
    first, second = (accumulators[-1] for accumulators in block.accumulators)
    yield isa.ldrd_next(first, second, "r1")
    for output in block.late:
        yield isa.move(block.accumulators[0][output], first)
        yield isa.move(block.accumulators[1][output], second)


def _row(block: DepthwiseBlock, row: int, begun: set[int]) -> Iterator[Line]:
    """In the end the address is that of the next two channels."""
    yield isa.ldr("r0", "sp", ROWS_SLOT + 4 * row)
    at = 0  # where r0 is, from its beginning
    for chunk in block.chunks:
        weights = WEIGHTS[: len(chunk)]
        yield isa.ldm_next("r1", weights) if len(weights) > 1 else isa.ldr_next(weights[0], "r1")
        for column, uses in block.uses(chunk).items():
            if column == at == 0:
                yield isa.ldr_next(INPUT, "r0")
                at = NEXT
            else:
                far = _too_far(column * block.pitch - at)
                yield from _moved(far)
                at += far
                yield isa.ldr(INPUT, "r0", column * block.pitch - at)
            for output, tap in uses:
                yield from _products(block, output, weights[tap - chunk.start], output in begun)
                begun.add(output)
    yield from _moved(NEXT - at)
    yield isa.str_("r0", "sp", ROWS_SLOT + 4 * row)


def _too_far(offset: int) -> int:
    """How far the address has to move for the offset to reach; then it may as well go there."""
    return 0 if -LARGEST_BACK <= offset <= isa.LARGEST_OFFSET else offset


def _moved(by: int) -> Iterator[Instr]:
    step = isa.add if by > 0 else isa.sub
    for part in range(0, abs(by), isa.LARGEST_OFFSET):
        yield step("r0", "r0", min(abs(by) - part, isa.LARGEST_OFFSET))


def _products(block: DepthwiseBlock, output: int, weights: str, begun: bool) -> Iterator[Instr]:
    for halves, accumulators in zip(("bb", "tt"), block.accumulators, strict=True):
        acc = accumulators[output]
        yield isa.smla(halves, acc, INPUT, weights, acc if begun else accumulators[-1])
