"""ADD and SUB of bytes as one integer linear form, proved equal for all 65,536 pairs (linear_form.py).

    r4 r5 weights   r6 offset   lr mask of odd bytes   r7 ... r12 operands and sums

Of a word, the mask leaves two bytes as halves of 256 times their value. SMLAW takes 16 bits off a product
of 48, here weight * 256 * byte: weights have 8 bits below the last one that is left, which is what makes
the form exact. Per 4 values: 2 LDR, 4 AND, 8 SMLAW, 4 SSAT, 4 STRB = 22 instructions (5.5 each).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...graph import Clamp
from ...ops.add import Add, Sub
from . import isa
from .instr import Instr
from .linear_form import linear_form
from .pairs import FIRST, SECOND, Found, bounded, clamp_stem, in_order, pair_lowerings, stores, walk_of

WEIGHTS, OFFSET, MASK = ("r4", "r5"), "r6", "lr"
ODD_BYTES = 0xFF00FF00
ODD = ("r9", "r10")  # bytes 1 and 3 of each operand
SUMS = ("r11", "r12", FIRST, ODD[0])  # of bytes 0 to 3


@dataclass(frozen=True)
class LinearCode:
    """The form with this shift, within bounds."""

    shift: int
    clamp: Clamp

    @property
    def stem(self) -> str:
        return f"te_pair_linear_s{self.shift}{clamp_stem(self.clamp)}"

    @property
    def twin(self) -> tuple[str, str]:
        return "te_pair_linear_twin", "te_pair_linear.h"

    @property
    def twin_numbers(self) -> tuple[int, ...]:
        return self.shift, *self.clamp

    def fixed_operand(self) -> Iterator[Instr]:
        yield isa.lsl(SECOND, SECOND, 8)
        yield isa.smlaw("b", OFFSET, WEIGHTS[1], SECOND, OFFSET)

    def word(self, fixed: bool) -> Iterator[Instr]:
        loaded = (FIRST,) if fixed else (FIRST, SECOND)
        for word, odd in zip(loaded, ODD, strict=False):
            yield isa.and_register(odd, MASK, word)
            yield isa.and_register(word, MASK, word, lsl=8)
        yield from self._sums(WEIGHTS[0], (FIRST, ODD[0]), starts=True)
        if not fixed:
            yield from self._sums(WEIGHTS[1], (SECOND, ODD[1]), starts=False)
        yield from bounded(SUMS, self.shift, self.clamp)
        yield from stores(SUMS)

    def _sums(self, weight: str, halves: tuple[str, str], starts: bool) -> Iterator[Instr]:
        """The last two of the sums lie where the first operand was."""
        for i, acc in enumerate(SUMS):
            yield isa.smlaw("bt"[i // 2], acc, weight, halves[i % 2], OFFSET if starts else acc)

    def byte(self, fixed: bool) -> Iterator[Instr]:
        yield isa.lsl(FIRST, FIRST, 8)
        yield isa.smlaw("b", FIRST, WEIGHTS[0], FIRST, OFFSET)
        if not fixed:
            yield isa.lsl(SECOND, SECOND, 8)
            yield isa.smlaw("b", FIRST, WEIGHTS[1], SECOND, FIRST)
        yield from bounded((FIRST,), self.shift, self.clamp)


def find(op: Add | Sub) -> Found | None:
    walk = walk_of(op)
    form = linear_form(op) if walk is not None else None
    if walk is None or form is None:
        return None
    weights = in_order(op, walk, form.weight_a, form.weight_b)
    return walk, LinearCode(form.shift, op.clamp), (*weights, form.offset, ODD_BYTES)


LOWERINGS = pair_lowerings(find)
