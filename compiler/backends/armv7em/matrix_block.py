"""What the blocks of gemm_block.py and wide_block.py share: matrix products for Armv7E-M and Armv8-M with DSP (M4,
M7, M33).

Register block: 2 output channels x 4 pixels.

    r0 operands   r1 weight stream   r2 r3 weights   r12 lr activations   r4 ... r11 accumulators
                                                                          [channel 0: r4 r6 r8 r10]
                                                                          [channel 1: r5 r7 r9 r11]
Smaller blocks of the same build take what is left over: one pixel (its operands are those of the first
of four places), one channel, or both. Pointers are on the stack, where no registers are left for them.

A shared block serves layers of any depth and any number of channels: it finds both in front of the stream. That
takes 8 more instructions for every 2 channels of 4 pixels, and a loop with short turns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import ClassVar, Self

from . import isa
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .requant import Requant

WEIGHTS = ("r2", "r3")
OPERANDS = ("r12", "lr")
PLACES = 4  # pixels in an operand buffer
PAIR_BYTES = 16  # of operands: 2 inputs of 4 pixels
OPERANDS_SLOT, STREAM_END_SLOT, OUT_SLOT, OPERANDS_END_SLOT, PITCH_SLOT = 0, 4, 8, 12, 16
PARAMETERS = ("const int32_t *operands", "const uint32_t *stream", "int8_t *y", "const uint32_t *stream_end")


@dataclass(frozen=True)
class Homes:
    """Registers for pointers while accumulators do not need them."""

    out: str
    operands: str
    operands_end: str
    stream_end: str


@dataclass(frozen=True)
class MatrixBlock(ABC):
    """What a kernel is generated for."""

    packing: Enum
    requant: Requant
    groups: int  # of inputs
    pitch: int  # bytes from one output pixel to the next
    channels: int = 2  # at a time
    pixels: int = PLACES
    turn_groups: int = 0  # of one turn of the loop over the inputs; 0: no loop
    passes: int = 1  # over the channels; the code does not depend on it
    shared: bool = False  # then it does not depend on groups and pitch either

    prefix: ClassVar[str]  # of its name
    twin: ClassVar[str]
    twin_header: ClassVar[str]
    pairs: ClassVar[int]  # of inputs in a group
    unpacking: ClassVar[int]  # about so many instructions of a group are no products

    @property
    @abstractmethod
    def packing_numbers(self) -> tuple[int, ...]:
        """What the twin is told of it."""

    @abstractmethod
    def unpacked(self, pair: int) -> Iterator[Instr]:
        """The weights that meet this pair of a group's inputs, in WEIGHTS."""

    @property
    def last_channel(self) -> Self:
        """The block of a channel without a partner."""
        return replace(self, channels=1, passes=1)

    @property
    def one_pixel(self) -> Self:
        return replace(self, pixels=1, pitch=0)

    @property
    def stem(self) -> str:
        size = f"{self.channels}x{self.pixels}"
        if self.shared:
            turn = f"_t{self.turn_groups}_f{self.first_groups}"
            return f"{self.prefix}_{self.packing.value}_{size}{turn}_{self.requant.stem}"
        turns = f"_t{self.turn_groups}" if self.turns else ""
        pitch = f"_c{self.pitch}" if self.pixels > 1 else ""
        return f"{self.prefix}_{self.packing.value}_{size}_k{self.inputs}{turns}{pitch}_{self.requant.stem}"

    @property
    def group_inputs(self) -> int:
        return 2 * self.pairs

    @property
    def inputs(self) -> int:
        return self.group_inputs * self.groups

    @property
    def shape_words(self) -> tuple[int, ...]:
        """In front of its stream."""
        return (self.operand_bytes, self.pitch) if self.shared else ()

    @property
    def operand_bytes(self) -> int:
        return PAIR_BYTES * self.pairs * self.groups

    @property
    def weights(self) -> tuple[str, ...]:
        return WEIGHTS[: self.channels]

    @property
    def accumulators(self) -> tuple[tuple[str, ...], ...]:
        """[channel][pixel]"""
        return tuple(tuple(f"r{4 + 2 * p + c}" for p in range(self.pixels)) for c in range(self.channels))

    @property
    def homes(self) -> Homes | None:
        """None: pointers are on the stack."""
        return None

    @property
    def stack(self) -> int:
        """Bytes for pointers."""
        return 0 if self.homes else 24 if self.shared else 16

    @property
    def first_groups(self) -> int:
        """Before the loop: at least one, which starts the sums."""
        return (self.groups - 1) % self.turn_groups + 1 if self.turn_groups else self.groups

    @property
    def turns(self) -> int:
        return (self.groups - self.first_groups) // self.turn_groups if self.turn_groups else 0

    @property
    def coded_groups(self) -> int:
        return self.first_groups + (self.turn_groups if self.turns else 0)

    @property
    def group_instructions(self) -> int:
        """About so many."""
        return self.pairs * self.channels * self.pixels + self.unpacking

    @property
    def loop_instructions(self) -> int:
        """Beside its products, for all passes."""
        return self.turns * self.passes * (2 if self.homes else 3)


def block_kernel(block: MatrixBlock) -> Function:
    """All output channels of four pixels or one, from their operands."""
    again = Label(1, block.passes)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), *_settle(block)]
    if block.channels > 1:
        lines.append(again)
    lines.append(next_words([accumulators[-1] for accumulators in block.accumulators]))
    lines += [*_dot_products(block), *_finish(block)]
    if block.channels > 1:
        lines += [*_next_pair(block), isa.bne_back(again)]
    if block.stack:
        lines.append(isa.shrink_stack(block.stack))
    lines.append(isa.pop_return(CALLEE_SAVED))
    return specified(block.stem, _purpose(block), lines, arguments=4, generator=__doc__)


def _purpose(block: MatrixBlock) -> str:
    inputs = "any number of inputs" if block.shared else f"{block.inputs} inputs"
    pixels = f"{block.pixels} pixels" if block.pixels > 1 else "a pixel"
    return f"Matrix product of {inputs} of {pixels}, channels in steps of {block.channels}"


@lru_cache(maxsize=1024)
def block_routine(block: MatrixBlock) -> Routine:
    known = (0, 0) if block.shared else (block.groups, block.pitch)
    shape = (block.channels, block.pixels, *known)
    numbers = (*block.packing_numbers, *shape, *block.requant.twin_numbers)
    return Routine(block_kernel(block), PARAMETERS, block.twin, numbers, block.twin_header)


# --- where pointers live while their registers are needed -----------------------------------------------------


def _settle(block: MatrixBlock) -> Iterator[Instr]:
    homes = block.homes
    if homes is None:
        yield isa.grow_stack(block.stack)
        yield isa.strd("r0", "r3", "sp", OPERANDS_SLOT)
        yield isa.str_("r2", "sp", OUT_SLOT)
    else:
        yield isa.move(homes.out, "r2")
        if block.channels > 1:
            yield from (isa.move(homes.operands, "r0"), isa.move(homes.stream_end, "r3"))
    if block.shared:
        yield isa.ldrd_next("r12", "lr", "r1")
        if block.pixels > 1:
            yield isa.move(homes.stream_end, "lr") if homes else isa.str_("lr", "sp", PITCH_SLOT)
    elif block.turns:
        yield from isa.constant("r12", block.operand_bytes)
    if block.turns:
        yield isa.add_register(homes.operands_end if homes else "r12", "r12", "r0")
        if homes is None:
            yield isa.str_("r12", "sp", OPERANDS_END_SLOT)


def _next_pair(block: MatrixBlock) -> Iterator[Instr]:
    """Two channels on; the output has moved when the first value was stored."""
    if block.homes:
        yield from (isa.move("r0", block.homes.operands), isa.cmp("r1", block.homes.stream_end))
    else:
        yield isa.str_("r0", "sp", OUT_SLOT)
        yield from (isa.ldrd("r0", "lr", "sp", OPERANDS_SLOT), isa.cmp("r1", "lr"))


# --- products ---------------------------------------------------------------------------------------------------


def _dot_products(block: MatrixBlock) -> Iterator[Line]:
    for group in range(block.first_groups):
        yield from _group(block, first=group == 0)
    if block.turns:
        turn = Label(2, block.turns)
        yield turn
        for _ in range(block.turn_groups):
            yield from _group(block, first=False)
        if block.homes is None:
            yield isa.ldr("r12", "sp", OPERANDS_END_SLOT)
        yield from (isa.cmp("r0", block.homes.operands_end if block.homes else "r12"), isa.bne_back(turn))


def _group(block: MatrixBlock, first: bool) -> Iterator[Instr]:
    """`first` starts sums from the bias."""
    for pair in range(block.pairs):
        yield from block.unpacked(pair)
        start = first and pair == 0
        if block.pixels == 1:
            yield isa.ldr_next("r12", "r0", PAIR_BYTES)
            yield from _products(block, ("r12",), 0, start)
            continue
        for pixel in (0, 2):
            yield isa.ldrd_next(*OPERANDS, "r0")
            yield from _products(block, OPERANDS, pixel, start)


def _products(block: MatrixBlock, operands: tuple[str, ...], pixel: int, start: bool) -> Iterator[Instr]:
    """The bias waits in the last pixel's accumulator."""
    for which, operand in enumerate(operands):
        for weights, accumulators in zip(block.weights, block.accumulators, strict=True):
            acc = accumulators[pixel + which]
            yield isa.smlad(acc, weights, operand, accumulators[-1] if start else acc)


def next_words(registers: Sequence[str]) -> Instr:
    """The stream's next word of each channel."""
    first, *second = registers
    return isa.ldrd_next(first, second[0], "r1") if second else isa.ldr_next(first, "r1")


# --- from accumulators to outputs ---------------------------------------------------------------------------------


def _finish(block: MatrixBlock) -> Iterator[Instr]:
    if block.homes is None:
        yield isa.ldr("r0", "sp", OUT_SLOT)
    out = block.homes.out if block.homes else "r0"
    yield from finish(block.requant, block.accumulators, _shared_pitch(block) or block.pitch, out)


def _shared_pitch(block: MatrixBlock) -> Instr | None:
    """In r3. Where registers are left for pointers, but a stream's end is not needed, it is there."""
    if not block.shared or block.pixels == 1:
        return None
    return isa.move("r3", block.homes.stream_end) if block.homes else isa.ldr("r3", "sp", PITCH_SLOT)


def finish(
    requant: Requant, accumulators: Sequence[Sequence[str]], pitch: int | Instr, out: str = "r0"
) -> Iterator[Instr]:
    """Of one channel or two ([channel][pixel]), to `out`, which two move on. Mantissa, addend and shift of a channel
    come in r2, r3, r12, with lr to spare; but two words of two channels at once, if they are all that is needed.
    The pitch may be an instruction that loads it to r3."""
    words = [("r2", "r3", "r12")] * 2
    at_once = len(accumulators) > 1 and requant.words == 2 and not requant.needs_spare
    if at_once:
        words = [("r2", "r3", ""), ("r12", "lr", "")]
        yield isa.ldm_next("r1", ("r2", "r3", "r12", "lr"))
    for channel, some in enumerate(accumulators):
        if not at_once:
            yield isa.ldm_next("r1", words[channel][: requant.words])
        yield from requant.instructions(some, *words[channel], "lr")
        step = requant.output_bytes * len(accumulators) if len(accumulators) > 1 else 0
        yield from _stores(requant, some, out, pitch, step, requant.output_bytes * channel - step)


def _stores(
    requant: Requant, accumulators: Sequence[str], out: str, pitch: int | Instr, step: int, back: int
) -> Iterator[Instr]:
    """The first output of two channels moves the pointer on. r2 and r3 are free."""
    first, *others = accumulators
    yield requant.store_next(first, out, step) if step and back + step == 0 else requant.store(first, out, back)
    if isinstance(pitch, int) and len(others) * pitch + back <= isa.LARGEST_OFFSET:
        yield from (requant.store(acc, out, pixel * pitch + back) for pixel, acc in enumerate(others, start=1))
        return
    yield from (pitch,) if isinstance(pitch, Instr) else isa.constant("r3", pitch)
    for acc in others:
        yield from (isa.add_register("r2", out, "r3"), requant.store(acc, "r2", back))
        out = "r2"
