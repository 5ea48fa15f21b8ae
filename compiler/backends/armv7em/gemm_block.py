"""Generator of matrix product blocks on int8: matrix_block.py with groups of four inputs.

Per 4 inputs, 2 channels and 4 pixels: 16 SMLAD and 4 LDRD of activations, and

    x256   1 LDRD, 2 SXTB16                       23 instructions for 32 products (0.72 each)
    i16    2 LDRD                                 22 (0.69)
    i8     2 LDRD, 4 SXTB16                       26 (0.81)

Packing x256 gets two of a word's four weights without unpacking: with activations A = x_low - 127 and
B = 256 * x_high + 127 - x_low,

    smlad(W, A) + smlad(sxtb16(W), B) = 256 * (w . x) - constant
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from . import isa
from .instr import Instr
from .isa import CALLEE_SAVED
from .matrix_block import WEIGHTS, Homes, MatrixBlock, next_words
from .operands import Operands

GROUP = 4  # inputs


class Packing(Enum):
    X256 = "x256"
    I16 = "i16"
    I8 = "i8"

    @property
    def operands(self) -> Operands:
        return Operands.X256 if self is Packing.X256 else Operands.PLAIN

    @property
    def words(self) -> int:
        """Of a group of one channel."""
        return 2 if self is Packing.I16 else 1


@dataclass(frozen=True)
class Block(MatrixBlock):
    packing: Packing

    prefix = "te_gemm"
    twin, twin_header = "te_gemm_twin", "te_gemm.h"
    pairs = 2
    unpacking = 6

    @property
    def packing_numbers(self) -> tuple[int, ...]:
        return self.packing.words, int(self.packing is Packing.X256)

    @property
    def homes(self) -> Homes | None:
        if self.channels * self.pixels == len(CALLEE_SAVED):
            return None
        return Homes("r7", "r6", "r9", "r8") if self.pixels == 1 else Homes("r5", "r7", "r9", "r11")

    @property
    def first_groups(self) -> int:
        """The sums of one pixel lie where its biases do, and need no start."""
        return self.groups % self.turn_groups if self.turn_groups and self.pixels == 1 else super().first_groups

    def unpacked(self, pair: int) -> Iterator[Instr]:
        if self.packing is Packing.X256 and pair == 1:
            yield from (isa.sxtb16(w, w) for w in self.weights)
        elif self.packing is Packing.I8:
            yield next_words(self.weights) if pair == 1 else self._same_words()  # read for both pairs
            yield from (isa.sxtb16(w, w, 8 * pair) for w in self.weights)
        else:
            yield next_words(self.weights)

    def _same_words(self) -> Instr:
        """The stream's next words, without a step over them."""
        return isa.ldr(WEIGHTS[0], "r1") if self.channels == 1 else isa.ldrd(*WEIGHTS, "r1")
