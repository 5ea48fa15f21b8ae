"""Generator of matrix product blocks on int16 inputs and int8 weights for Armv7E-M and Armv8-M with DSP.

Register block: 2 output channels x 4 pixels.

    r0 operands   r1 weight stream   r2 r3 weights   r12 lr inputs   r4 ... r11 accumulators
                                                                     [channel 0: r4 r6 r8 r10]
                                                                     [channel 1: r5 r7 r9 r11]
Smaller blocks of the same build take what is left over: one pixel (its operands are those of the first
of four places), the last channel, or both.

Two inputs are one operand as they lie in memory. Per 2 inputs, 2 channels and 4 pixels: 8 SMLAD, 2 LDRD of
operands, and

    i8     1 LDR, 2 SXTB16       13 instructions for 16 products (0.81 each)
    i16    1 LDRD                11 (0.69)

A word i8 holds the weights of both channels, so that none is read twice: bytes a0 b0 a1 b1.
The last channel alone has two weights in a word, 16 bits each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from . import isa
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .wide_requant import WideRequant

WEIGHTS = ("r2", "r3")
OPERANDS = ("r12", "lr")
PLACES = 4  # pixels in an operand buffer
PAIR_OPERAND_BYTES = 16  # 2 inputs of 4 pixels
STACK = 16  # bytes
OPERANDS_SLOT, STREAM_END_SLOT, OUT_SLOT, OPERANDS_END_SLOT = 0, 4, 8, 12
PARAMETERS = ("const int32_t *operands", "const uint32_t *stream", "int8_t *y", "const uint32_t *stream_end")


class WidePacking(Enum):
    I8 = "i8"
    I16 = "i16"


@dataclass(frozen=True)
class WideBlock:
    """What a kernel is generated for."""

    packing: WidePacking
    requant: WideRequant
    pairs: int  # of inputs
    pitch: int  # bytes from one output pixel to the next
    channels: int = 2  # at a time
    pixels: int = 4
    turn_pairs: int = 0  # of one turn of the loop over the inputs; 0: no loop
    passes: int = 1  # over the channels; the code does not depend on it

    @property
    def stem(self) -> str:
        size = f"{self.channels}x{self.pixels}_k{2 * self.pairs}"
        turns = f"_t{self.turn_pairs}" if self.turns else ""
        pitch = f"_c{self.pitch}" if self.pixels > 1 else ""
        return f"te_wide_{self.packing.value}_{size}{turns}{pitch}_{self.requant.stem}"

    @property
    def accumulators(self) -> tuple[tuple[str, ...], ...]:
        """[channel][pixel]"""
        return tuple(tuple(f"r{4 + 2 * p + c}" for p in range(self.pixels)) for c in range(self.channels))

    @property
    def first_pairs(self) -> int:
        """Before the loop: at least one, which starts the sums."""
        return (self.pairs - 1) % self.turn_pairs + 1 if self.turn_pairs else self.pairs

    @property
    def turns(self) -> int:
        return (self.pairs - self.first_pairs) // self.turn_pairs if self.turn_pairs else 0

    @property
    def coded_pairs(self) -> int:
        return self.first_pairs + (self.turn_pairs if self.turns else 0)

    @property
    def loop_instructions(self) -> int:
        """Beside its products, for all passes."""
        return self.turns * self.passes * 3


def block_kernel(block: WideBlock) -> Function:
    """All output channels of four pixels or one, from their operands."""
    again = Label(1, block.passes)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), *_settle(block)]
    if block.channels > 1:
        lines.append(again)
    lines.append(_load([accumulators[-1] for accumulators in block.accumulators]))
    lines += [*_dot_products(block), isa.ldr("r0", "sp", OUT_SLOT)]
    lines += finish(block.requant, block.accumulators, block.pitch)
    if block.channels > 1:
        lines += [isa.str_("r0", "sp", OUT_SLOT), isa.ldrd("r0", "lr", "sp", OPERANDS_SLOT)]
        lines += [isa.cmp("r1", "lr"), isa.bne_back(again)]
    lines += [isa.shrink_stack(STACK), isa.pop_return(CALLEE_SAVED)]
    pixels = f"{block.pixels} pixels" if block.pixels > 1 else "a pixel"
    purpose = f"Matrix product of {2 * block.pairs} inputs of {pixels}, channels in steps of {block.channels}"
    return specified(block.stem, purpose, lines, arguments=4)


@lru_cache(maxsize=256)
def block_routine(block: WideBlock) -> Routine:
    shape = (int(block.packing is WidePacking.I8), block.channels, block.pixels, block.pairs, block.pitch)
    return Routine(
        block_kernel(block), PARAMETERS, "te_wide_gemm_twin", (*shape, *block.requant.twin_numbers), "te_wide_gemm.h"
    )


def _settle(block: WideBlock) -> Iterator[Instr]:
    yield isa.grow_stack(STACK)
    yield isa.strd("r0", "r3", "sp", OPERANDS_SLOT)
    yield isa.str_("r2", "sp", OUT_SLOT)
    if block.turns:
        yield from isa.constant("r12", block.pairs * PAIR_OPERAND_BYTES)
        yield from (isa.add_register("r12", "r12", "r0"), isa.str_("r12", "sp", OPERANDS_END_SLOT))


# --- products ---------------------------------------------------------------------------------------------------


def _dot_products(block: WideBlock) -> Iterator[Line]:
    for pair in range(block.first_pairs):
        yield from _pair(block, start=pair == 0)
    if block.turns:
        turn = Label(2, block.turns)
        yield turn
        for _ in range(block.turn_pairs):
            yield from _pair(block, start=False)
        yield from (isa.ldr("r12", "sp", OPERANDS_END_SLOT), isa.cmp("r0", "r12"), isa.bne_back(turn))


def _pair(block: WideBlock, start: bool) -> Iterator[Line]:
    """2 inputs; `start` begins sums with the bias."""
    yield from _weights(block)
    if block.pixels == 1:
        yield isa.ldr_next("r12", "r0", PAIR_OPERAND_BYTES)
        yield from _products(block, ("r12",), 0, start)
        return
    for pixel in (0, 2):
        yield isa.ldrd_next(*OPERANDS, "r0")
        yield from _products(block, OPERANDS, pixel, start)


def _products(block: WideBlock, operands: tuple[str, ...], pixel: int, start: bool) -> Iterator[Line]:
    """The bias waits in the last pixel's accumulator."""
    for which, operand in enumerate(operands):
        for weights, accumulators in zip(WEIGHTS, block.accumulators, strict=False):
            acc = accumulators[pixel + which]
            yield isa.smlad(acc, weights, operand, accumulators[-1] if start else acc)


def _weights(block: WideBlock) -> Iterator[Line]:
    first, second = WEIGHTS
    if block.channels > 1 and block.packing is WidePacking.I8:
        yield from (isa.ldr_next(first, "r1"), isa.sxtb16(second, first, 8), isa.sxtb16(first, first))
    else:
        yield _load(WEIGHTS[: block.channels])


def _load(registers: Sequence[str]) -> Instr:
    """The stream's next word of each channel."""
    first, *second = registers
    return isa.ldrd_next(first, second[0], "r1") if second else isa.ldr_next(first, "r1")


# --- from accumulators to outputs ---------------------------------------------------------------------------------


def finish(requant: WideRequant, accumulators: Sequence[Sequence[str]], pitch: int) -> Iterator[Line]:
    """Of one channel or two ([channel][pixel]), to r0, which two move on. Mantissa, addend and shift come in
    r2, r3, r12, with lr to spare; or those of two channels at once."""
    words = [("r2", "r3", "r12")] * 2
    at_once = len(accumulators) > 1 and spares_none(requant)
    if at_once:
        words = [("r2", "r3", ""), ("r12", "lr", "")]
        yield isa.ldm_next("r1", ("r2", "r3", "r12", "lr"))
    for channel, some in enumerate(accumulators):
        if not at_once:
            yield isa.ldm_next("r1", words[channel][: requant.words])
        yield from requant.instructions(some, *words[channel], "lr")
        step = 2 * len(accumulators) if len(accumulators) > 1 else 0
        yield from _stores(some, pitch, step, 2 * channel - step)


def spares_none(requant: WideRequant) -> bool:
    """Can two channels be finished at once, without a register to spare?"""
    return requant.words == 2 and not requant.twice and not requant.bounds


def _stores(accumulators: Sequence[str], pitch: int, step: int, back: int) -> Iterator[Line]:
    """The first output of two channels moves the pointer on. r2 and r3 are free."""
    first, *others = accumulators
    out = "r0"
    yield isa.strh_next(first, out, step) if step and back + step == 0 else isa.strh(first, out, back)
    if len(others) * pitch + back <= isa.LARGEST_OFFSET:
        yield from (isa.strh(acc, out, pixel * pitch + back) for pixel, acc in enumerate(others, start=1))
        return
    yield from isa.constant("r3", pitch)
    for acc in others:
        yield from (isa.add_register("r2", out, "r3"), isa.strh(acc, "r2", back))
        out = "r2"
