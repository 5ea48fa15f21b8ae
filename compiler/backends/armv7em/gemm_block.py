"""Generator of matrix product blocks for Armv7E-M and Armv8-M with DSP (M4, M7, M33).

Register block: 2 output channels x 4 pixels.

    r0 operands   r1 weight stream   r2 r3 weights   r12 lr activations   r4 ... r11 accumulators
                                                                          [channel 0: r4 r6 r8 r10]
                                                                          [channel 1: r5 r7 r9 r11]
Smaller blocks of the same build take what is left over: one pixel (its operands are those of the first
of four places), one channel, or both.

Per 4 inputs, 2 channels and 4 pixels: 16 SMLAD and 4 LDRD of activations, and

    x256   1 LDRD, 2 SXTB16                       23 instructions for 32 products (0.72 each)
    i16    2 LDRD                                 22 (0.69)
    i8     2 LDRD, 4 SXTB16                       26 (0.81)

Packing x256 gets two of a word's four weights without unpacking: with activations A = x_low - 127 and
B = 256 * x_high + 127 - x_low,

    smlad(W, A) + smlad(sxtb16(W), B) = 256 * (w . x) - constant
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from . import isa
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .packing import Packing
from .requant import Requant

WEIGHTS = ("r2", "r3")
OPERANDS = ("r12", "lr")
PLACES = 4  # pixels in an operand buffer
GROUP_OPERAND_BYTES = 32  # 4 inputs of 4 pixels, 16 bits each
STACK = 16  # bytes, where no register is left for pointers: these and the output
OPERANDS_SLOT, STREAM_END_SLOT, OUT_SLOT, OPERANDS_END_SLOT = 0, 4, 8, 12
PARAMETERS = ("const int32_t *operands", "const uint32_t *stream", "int8_t *y", "const uint32_t *stream_end")


@dataclass(frozen=True)
class Homes:
    """Registers for pointers while accumulators do not need them."""

    out: str
    operands: str
    operands_end: str
    stream_end: str


@dataclass(frozen=True)
class Block:
    """What a kernel is generated for."""

    packing: Packing
    requant: Requant
    groups: int  # of four inputs
    pitch: int  # bytes from one output pixel to the next
    channels: int = 2  # at a time
    pixels: int = 4
    turn_groups: int = 0  # of one turn of the loop over the inputs; 0: no loop
    passes: int = 1  # over the channels; the code does not depend on it

    @property
    def stem(self) -> str:
        size = f"{self.channels}x{self.pixels}_k{4 * self.groups}"
        turns = f"_t{self.turn_groups}" if self.loops else ""
        pitch = f"_c{self.pitch}" if self.pixels > 1 else ""
        return f"te_gemm_{self.packing.value}_{size}{turns}{pitch}_{self.requant.stem}"

    @property
    def accumulators(self) -> tuple[tuple[str, ...], ...]:
        """[channel][pixel]"""
        return tuple(tuple(f"r{4 + 2 * p + c}" for p in range(self.pixels)) for c in range(self.channels))

    @property
    def homes(self) -> Homes | None:
        """None: all registers are taken."""
        if self.channels * self.pixels == len(CALLEE_SAVED):
            return None
        return Homes("r7", "r6", "r9", "r8") if self.pixels == 1 else Homes("r5", "r7", "r9", "r11")

    @property
    def weights(self) -> tuple[str, ...]:
        return WEIGHTS[: self.channels]

    @property
    def first_groups(self) -> int:
        """Before the loop: for four pixels at least one, which starts their sums."""
        if self.turn_groups == 0:
            return self.groups
        left = self.groups % self.turn_groups
        return left or (self.turn_groups if self.pixels > 1 else 0)

    @property
    def turns(self) -> int:
        return (self.groups - self.first_groups) // self.turn_groups if self.turn_groups else 0

    @property
    def loops(self) -> bool:
        return self.turns > 0

    @property
    def coded_groups(self) -> int:
        return self.first_groups + (self.turn_groups if self.loops else 0)

    @property
    def loop_instructions(self) -> int:
        """Beside its products, for all passes."""
        return self.turns * self.passes * (2 if self.homes else 3)


def block_kernel(block: Block) -> Function:
    """All output channels of four pixels or one, from their expanded operands."""
    pair = Label(1, block.passes)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), *_settle(block)]
    if block.channels > 1:
        lines.append(pair)
    lines.append(_load(block, [accumulators[-1] for accumulators in block.accumulators]))
    lines += [*_dot_products(block), *_finish(block)]
    if block.channels > 1:
        lines += [*_next_pair(block), isa.bne_back(pair)]
    if block.homes is None:
        lines.append(isa.shrink_stack(STACK))
    lines.append(isa.pop_return(CALLEE_SAVED))
    pixels = f"{block.pixels} pixels" if block.pixels > 1 else "a pixel"
    purpose = f"Matrix product of {4 * block.groups} inputs of {pixels}, channels in steps of {block.channels}"
    return specified(block.stem, purpose, lines, arguments=4)


@cache
def block_routine(block: Block) -> Routine:
    packing = (block.packing.words, int(block.packing is Packing.X256))
    numbers = (*packing, block.channels, block.pixels, block.groups, block.pitch, *block.requant.twin_numbers)
    return Routine(block_kernel(block), PARAMETERS, "te_gemm_twin", numbers, "te_gemm.h")


# --- where pointers live while their registers are needed -----------------------------------------------------


def _settle(block: Block) -> Iterator[Instr]:
    homes = block.homes
    if homes is None:
        yield isa.grow_stack(STACK)
        yield isa.strd("r0", "r3", "sp", OPERANDS_SLOT)
        yield isa.str_("r2", "sp", OUT_SLOT)
    else:
        yield isa.move(homes.out, "r2")
        if block.channels > 1:
            yield from (isa.move(homes.operands, "r0"), isa.move(homes.stream_end, "r3"))
    if block.loops:
        yield from isa.constant("r12", block.groups * GROUP_OPERAND_BYTES)
        yield isa.add_register(homes.operands_end if homes else "r12", "r12", "r0")
        if homes is None:
            yield isa.str_("r12", "sp", OPERANDS_END_SLOT)


def _next_pair(block: Block) -> Iterator[Instr]:
    """Two channels on; the output has moved when the first byte was stored."""
    if block.homes:
        yield from (isa.move("r0", block.homes.operands), isa.cmp("r1", block.homes.stream_end))
    else:
        yield isa.str_("r0", "sp", OUT_SLOT)
        yield from (isa.ldrd("r0", "lr", "sp", OPERANDS_SLOT), isa.cmp("r1", "lr"))


# --- products ---------------------------------------------------------------------------------------------------


def _dot_products(block: Block) -> Iterator[Line]:
    for group in range(block.first_groups):
        yield from _group(block, first=group == 0)
    if block.loops:
        turn = Label(2, block.turns)
        yield turn
        for _ in range(block.turn_groups):
            yield from _group(block, first=False)
        if block.homes is None:
            yield isa.ldr("r12", "sp", OPERANDS_END_SLOT)
        yield from (isa.cmp("r0", block.homes.operands_end if block.homes else "r12"), isa.bne_back(turn))


def _group(block: Block, first: bool) -> Iterator[Line]:
    """4 inputs; `first` starts sums from the bias."""
    for half in (0, 1):
        yield from _unpacked(block, half)
        start = first and half == 0
        if block.pixels == 1:
            yield isa.ldr_next("r12", "r0", GROUP_OPERAND_BYTES // 2)
            yield from _products(block, ("r12",), 0, start)
            continue
        for pixel in (0, 2):
            yield isa.ldrd_next(*OPERANDS, "r0")
            yield from _products(block, OPERANDS, pixel, start)


def _products(block: Block, operands: tuple[str, ...], pixel: int, start: bool) -> Iterator[Line]:
    """The bias waits in the last pixel's accumulator."""
    for which, operand in enumerate(operands):
        for weights, accumulators in zip(block.weights, block.accumulators, strict=True):
            acc = accumulators[pixel + which]
            yield isa.smlad(acc, weights, operand, accumulators[-1] if start else acc)


def _unpacked(block: Block, half: int) -> Iterator[Line]:
    """The weights that meet the operands A or B of all pixels."""
    if block.packing is Packing.X256 and half == 1:
        yield from (isa.sxtb16(w, w) for w in block.weights)
        return
    again = block.packing is Packing.I8 and half == 0  # the same words are read for the other half
    yield _load(block, block.weights, 0 if again else None)
    if block.packing is Packing.I8:
        yield from (isa.sxtb16(w, w, 8 * half) for w in block.weights)


def _load(block: Block, registers: Sequence[str], at: int | None = None) -> Instr:
    """A word of each channel from there in the stream; or step over them."""
    if block.channels == 1:
        return isa.ldr_next(registers[0], "r1") if at is None else isa.ldr(registers[0], "r1", at)
    first, second = registers
    return isa.ldrd_next(first, second, "r1") if at is None else isa.ldrd(first, second, "r1", at)


# --- from accumulators to bytes ---------------------------------------------------------------------------------


def _finish(block: Block) -> Iterator[Line]:
    """Mantissa, addend and shift of a channel are in r2, r3, r12, and lr is spare; but two words of two channels are
    loaded at once, if they are all that is needed."""
    requant, out = block.requant, block.homes.out if block.homes else "r0"
    if block.homes is None:
        yield isa.ldr(out, "sp", OUT_SLOT)
    each = ("r2", "r3", "r12")[: requant.words]
    both = ("r2", "r3", "r12", "lr") if block.channels > 1 and requant.words == 2 and not requant.twice else ()
    if both:
        yield isa.ldm_next("r1", both)
    for channel, accumulators in enumerate(block.accumulators):
        if not both:
            yield isa.ldm_next("r1", each)
        mantissa, addend = both[2 * channel :][:2] or each[:2]
        yield from requant.instructions(accumulators, mantissa, addend, "r12", "lr")
        yield from _stores(block, accumulators, out, channel)


def _stores(block: Block, accumulators: tuple[str, ...], out: str, channel: int) -> Iterator[Line]:
    """The first byte of two channels moves the output on. r2 and r3 are free."""
    step = block.channels if block.channels > 1 else 0
    first, *others = accumulators
    back = channel - step
    yield isa.strb_next(first, out, step) if step and channel == 0 else isa.strb(first, out, back)
    if len(others) * block.pitch + back <= isa.LARGEST_OFFSET:
        yield from (isa.strb(acc, out, pixel * block.pitch + back) for pixel, acc in enumerate(others, start=1))
        return
    yield from isa.constant("r3", block.pitch)
    for acc in others:
        yield from (isa.add_register("r2", out, "r3"), isa.strb(acc, "r2", back))
        out = "r2"
