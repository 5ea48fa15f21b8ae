"""Generator of operand expansion: the inputs of four pixels as the blocks of gemm_block.py multiply them.

For each group of four inputs 32 bytes: the words A of four pixels, then their words B.

    X256   A = x0 - 127, x2 - 127 (one SXTAB16)     B = the raw word ^ 0x007f007f: 256 * x1 + 127 - x0 ...
    PLAIN  A = x0, x2 (one SXTB16)                  B = x1, x3 (one SXTB16 of the rotated word)

13 instructions for 16 inputs. Pixels lie at any distance from each other: at none, one pixel takes all four
places. No byte beyond the pixels is read, whatever the number of inputs.

    r0 pixels   r1 operands   r2 ... r5 words A   r6 ... r9 raw, words B   r10 distance   r11 3 * distance
    r12 constant   lr groups left
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from . import isa
from .function import Function, Routine, specified
from .instr import Label, Line
from .isa import CALLEE_SAVED

GROUP = 4
RAW, LOW = ("r6", "r7", "r8", "r9"), ("r2", "r3", "r4", "r5")
TURN_GROUPS = 2
PARAMETERS = ("const int8_t *pixels", "int32_t *operands", "int32_t distance", "int32_t groups")


class Operands(Enum):
    """How the inputs of a pixel are expanded to 16 bits."""

    X256 = "x256"
    PLAIN = "plain"


@dataclass(frozen=True)
class Expansion:
    """What a kernel is generated for: one serves many depths."""

    operands: Operands
    whole: int  # groups of four inputs; the code only knows whether there are any, and whether they are odd
    rest: int = 0  # inputs behind them

    @property
    def stem(self) -> str:
        kind = "none" if self.whole == 0 else "one" if self.whole == 1 else ("even", "odd")[self.whole % 2]
        rest = f"_rest{self.rest}" if self.rest else ""
        return f"te_expand4_{self.operands.value}_{kind}{rest}"


def expansion_of(operands: Operands, depth: int) -> Expansion:
    return Expansion(operands, *divmod(depth, GROUP))


def expand_kernel(shape: Expansion) -> Function:
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"])]
    if shape.operands is Operands.X256:
        lines += isa.constant("r12", 0xFF81FF81)
    lines += [isa.move("r10", "r2"), isa.add_shifted("r11", "r2", "r2", "lsl", 1)]
    turns, odd = divmod(shape.whole, TURN_GROUPS)
    if turns:
        lines.append(isa.sub("lr", "r3", 1) if odd else isa.move("lr", "r3"))
    if odd:
        lines += _group(shape)
    if turns:
        turn = Label(1, turns)
        lines += [turn, *_group(shape), *_group(shape), isa.sub_flags("lr", "lr", TURN_GROUPS), isa.bne_back(turn)]
    if shape.rest:
        lines += _rest(shape)
    lines.append(isa.pop_return(CALLEE_SAVED))
    return specified(shape.stem, "Operands of four pixels at equal distances", lines, arguments=4, generator=__doc__)


@lru_cache(maxsize=1024)
def expand_routine(shape: Expansion) -> Routine:
    numbers = (int(shape.operands is Operands.X256), shape.rest)
    return Routine(expand_kernel(shape), PARAMETERS, "te_expand_twin", numbers, "te_gemm_operands.h")


def _group(shape: Expansion) -> Iterator[Line]:
    yield isa.ldr_indexed(RAW[1], "r0", "r10")
    yield isa.ldr_indexed(RAW[2], "r0", "r10", 1)
    yield isa.ldr_indexed(RAW[3], "r0", "r11")
    yield isa.ldr_next(RAW[0], "r0", GROUP)
    yield from _expanded(shape)


def _expanded(shape: Expansion) -> Iterator[Line]:
    for low, raw in zip(LOW, RAW, strict=True):
        if shape.operands is Operands.X256:
            yield from (isa.sxtab16(low, "r12", raw), isa.eor_pattern(raw, raw, 0x007F007F))
        else:
            yield from (isa.sxtb16(low, raw), isa.sxtb16(raw, raw, 8))
    yield isa.stm_next("r1", (*LOW, *RAW))


def _rest(shape: Expansion) -> Iterator[Line]:
    """The last word of each pixel without what belongs to the group before. What stands behind the rest does
    not matter: its weights are 0."""
    if shape.whole == 0:
        yield from _few_inputs(shape)
    else:
        before = GROUP - shape.rest
        yield isa.sub("r0", "r0", before)
        yield isa.ldr_indexed(RAW[1], "r0", "r10")
        yield isa.ldr_indexed(RAW[2], "r0", "r10", 1)
        yield isa.ldr_indexed(RAW[3], "r0", "r11")
        yield isa.ldr(RAW[0], "r0")
        yield from (isa.lsr(raw, raw, 8 * before) for raw in RAW)
    yield from _expanded(shape)


def _few_inputs(shape: Expansion) -> Iterator[Line]:
    """Pixels of less than a word."""
    for pixel, raw in enumerate(RAW):
        yield isa.ldrb(raw, "r0") if shape.rest == 1 else isa.ldrh(raw, "r0")
        if shape.rest == 3:
            yield from (isa.ldrb("lr", "r0", 2), isa.orr_shifted(raw, raw, "lr", "lsl", 16))
        if pixel < len(RAW) - 1:
            yield isa.add_register("r0", "r0", "r10")
