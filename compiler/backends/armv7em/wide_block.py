"""Generator of matrix product blocks on int16 inputs and int8 weights: matrix_block.py with groups of two inputs.

Two inputs are one operand as they lie in memory. Per 2 inputs, 2 channels and 4 pixels: 8 SMLAD, 2 LDRD of
operands, and

    i8     1 LDR, 2 SXTB16       13 instructions for 16 products (0.81 each)
    i16    1 LDRD                11 (0.69)

A word i8 holds the weights of both channels, so that none is read twice: bytes a0 b0 a1 b1.
The last channel alone has two weights in a word, 16 bits each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from . import isa
from .instr import Instr
from .matrix_block import WEIGHTS, MatrixBlock, next_words


class WidePacking(Enum):
    I8 = "i8"
    I16 = "i16"


@dataclass(frozen=True)
class WideBlock(MatrixBlock):
    packing: WidePacking

    prefix = "te_wide"
    twin, twin_header = "te_wide_gemm_twin", "te_wide_gemm.h"
    pairs = 1
    unpacking = 4

    @property
    def packing_numbers(self) -> tuple[int, ...]:
        return (int(self.packing is WidePacking.I8),)

    @property
    def last_channel(self) -> WideBlock:
        return replace(super().last_channel, packing=WidePacking.I16)

    def unpacked(self, pair: int) -> Iterator[Instr]:
        first, second = WEIGHTS
        if self.packing is WidePacking.I8:
            yield from (isa.ldr_next(first, "r1"), isa.sxtb16(second, first, 8), isa.sxtb16(first, first))
        else:
            yield next_words(self.weights)
