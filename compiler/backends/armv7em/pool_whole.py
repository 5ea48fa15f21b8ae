"""Generator of a mean over a whole image of at most 256 pixels in one pass: sums never leave the registers.

    r0 pixels of 8 channels   r1 output   r2 bias, r10 factor, r11 addend   r3 turns left
    r4 ... r7 halves   r8 r9 words, then one output and a spare   r12 pixel   lr end of the channels

SXTAB16 adds two bytes of a word to two halves. The first pixel starts them, the others come in turns. Per
pixel and 8 channels: 2 LDR, 4 SXTAB16 (0.75 for each value). Then for each channel

    once    SMLAW, SSAT, STRB                                        (sum_form.py, lifted by 16)
    twice   SXTAH with the bias, LSL, ADD of the sign, SMMLAR, SSAT, STRB        (requant.py)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ...ops.pool2d import AveragePool2D
from ...ops.reduction import ScaledSum
from ...target import Candidate, Form
from ..native.lowering import CALL, Params
from ..program import ConstantArray
from . import isa, lanes
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED, LARGEST_OFFSET
from .lowering import Assembled, Lowering
from .pairs import bounded
from .pooling import LARGEST_STEP, WORD
from .requant import Requant
from .sum_finish import HALF_COUNT, HALF_LIFT, Finish, finish_of

TURN = 8  # pixels
HALVES = ("r4", "r5", "r6", "r7")
WORDS = ("r8", "r9")
BIAS, FACTOR, ADDEND = "r2", "r10", "r11"
OUTPUT, SPARE = WORDS


@dataclass(frozen=True)
class Whole:
    """What a kernel is generated for."""

    channels: int
    pixels: int
    requant: Requant

    @property
    def stem(self) -> str:
        return f"te_pool_whole_c{self.channels}_p{self.pixels}_{self.requant.stem}"

    @property
    def turns(self) -> int:
        """Behind the first pixel."""
        return (self.pixels - 1) // TURN

    @property
    def straight(self) -> int:
        return (self.pixels - 1) % TURN

    @property
    def widths(self) -> tuple[int, int, int]:
        """Groups of 8, of 4, and single channels."""
        return self.channels // 8, self.channels % 8 // 4, self.channels % 4


def whole_kernel(shape: Whole) -> Function:
    """void mean(const int8_t *x, int8_t *y, const int32_t *constants)"""
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), isa.ldm("r2", (BIAS, FACTOR, ADDEND))]
    wide, narrow, single = shape.widths
    if wide:
        group = Label(1)
        lines += [*isa.constant("lr", 2 * WORD * wide), isa.add_register("lr", "lr", "r0"), group]
        lines += [*_group(shape, 2), isa.cmp("r0", "lr"), isa.bne_back(group)]
    for _ in range(narrow):
        lines += _group(shape, 1)
    for _ in range(single):
        lines += _single(shape)
    lines.append(isa.pop_return(CALLEE_SAVED))
    return specified(
        shape.stem, f"mean of {shape.pixels} pixels of {shape.channels} channels", lines, arguments=3, generator=__doc__
    )


def _group(shape: Whole, words: int) -> Iterator[Line]:
    """Four or eight channels."""
    yield isa.move("r12", "r0")
    yield from _pixel(shape.channels, words, first=True)
    yield from _turns(shape, lambda: _pixel(shape.channels, words, first=False))
    for even, odd in (HALVES[2 * word : 2 * word + 2] for word in range(words)):
        for half, top in ((even, False), (odd, False), (even, True), (odd, True)):
            yield from _finish(shape.requant, half, top)
    yield isa.add("r0", "r0", words * WORD)


def _turns(shape: Whole, pixel: Callable[[], Iterator[Instr]]) -> Iterator[Line]:
    if shape.turns:
        turn = Label(2)
        yield from isa.constant("r3", shape.turns)
        yield turn
        for _ in range(TURN):
            yield from pixel()
        yield from (isa.sub_flags("r3", "r3", 1), isa.bne_back(turn))
    for _ in range(shape.straight):
        yield from pixel()


def _pixel(channels: int, words: int, first: bool) -> Iterator[Instr]:
    if words == 2:
        yield isa.ldr(WORDS[1], "r12", WORD)
    if channels <= LARGEST_STEP:
        yield isa.ldr_next(WORDS[0], "r12", channels)
    else:
        yield from (isa.ldr(WORDS[0], "r12"), isa.add("r12", "r12", channels))
    for word, register in enumerate(WORDS[:words]):
        for odd in (0, 1):
            half = HALVES[2 * word + odd]
            yield isa.sxtb16(half, register, 8 * odd) if first else isa.sxtab16(half, half, register, 8 * odd)


def _single(shape: Whole) -> Iterator[Line]:
    """One channel, byte by byte."""
    half = HALVES[0]

    def pixel() -> Iterator[Instr]:
        yield from (isa.ldrsb("r8", "r12"), isa.add("r12", "r12", shape.channels), isa.add_register(half, half, "r8"))

    yield from (isa.add("r12", "r0", shape.channels), isa.ldrsb_next(half, "r0"))
    yield from _turns(shape, pixel)
    yield from _finish(shape.requant, half, top=False)


def _finish(requant: Requant, half: str, top: bool) -> Iterator[Instr]:
    if requant.twice:
        yield lanes.sxtah(OUTPUT, BIAS, half, top)
        yield from requant.instructions([OUTPUT], FACTOR, ADDEND, "", SPARE)
    else:
        yield isa.smlaw("t" if top else "b", OUTPUT, FACTOR, half, ADDEND)
        yield from bounded([OUTPUT], requant.shift or 0, requant.clamp)
    yield isa.strb_next(OUTPUT, "r1")


def _instructions(shape: Whole) -> int:
    """Executed by that."""
    wide, narrow, single = shape.widths
    loop = bool(shape.turns) + 2 * shape.turns
    finish = sum(instr.count for instr in _finish(shape.requant, HALVES[0], top=False))
    step = shape.channels > LARGEST_STEP
    groups = wide * (4 + shape.pixels * (6 + step) + loop + 8 * finish)
    groups += narrow * (2 + shape.pixels * (3 + step) + loop + 4 * finish)
    return groups + single * (2 + 3 * (shape.pixels - 1) + loop + finish) + 5


def whole_routine(shape: Whole) -> Routine:
    parameters = ("const int8_t *x", "int8_t *y", "const int32_t *constants")
    requant = shape.requant
    before = requant.before if requant.twice else -HALF_LIFT
    numbers = (shape.channels, shape.pixels, requant.twin_numbers[0], before, *requant.twin_numbers[2:])
    return Routine(whole_kernel(shape), parameters, "te_pool_whole_twin", numbers, "te_pool_whole.h")


def _found(op: AveragePool2D | ScaledSum) -> tuple[Whole, Finish] | None:
    image = op.x.image
    pixels = image.rows * image.columns
    finish = finish_of(op) if pixels <= HALF_COUNT and image.channels <= LARGEST_OFFSET else None
    if finish is None or finish.requant.shift is None:
        return None
    return Whole(image.channels, pixels, finish.requant), finish


def candidates(op: AveragePool2D | ScaledSum) -> tuple[Candidate, ...]:
    found = _found(op)
    if found is None:
        return ()
    shape = found[0]
    return (
        Candidate(
            backend="armv7em",
            kernel="te_pool_whole",
            form=Form.WHOLE,
            weight_bytes=12,
            code_bytes=whole_kernel(shape).code_bytes,
            instructions=_instructions(shape) + CALL // 2,
        ),
    )


def lower(op: AveragePool2D | ScaledSum, _chosen: Candidate, function: str) -> Assembled:
    found = _found(op)
    assert found is not None
    shape, finish = found
    values = np.array([finish.bias, finish.factor, finish.addend], np.int32)
    table = ConstantArray(f"{function}_factors", "int32_t", values, "bias, factor, addend")
    routine = whole_routine(shape)
    params: Params = {"mean": routine.name, "constants": table.name}
    return Assembled(params, (table,), (routine,))


LOWERING = Lowering.at_any_price("te_pool_whole", candidates, lower)
