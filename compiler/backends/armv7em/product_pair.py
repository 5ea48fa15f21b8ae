"""MUL of bytes, proved equal for all 65,536 pairs.

    r4 r5 zero points taken away, in both halves   r6 factor   lr addend   r7 ... r12 operands and products

With p = (a - za) * (b - zb), a factor m and a right shift n, TFLite's two roundings are

    q = (p * m + 2^30) >> 31        y = ((q + 2^(n-1) - (q < 0)) >> n) + zero point

One of the halves is doubled, so that SMMLAR (2p * m + 2^31 >> 32) is q. The sign of p stands for that of q;
where all pairs prove that it cannot matter, it is left out. Per 4 values: 2 LDR, 4 SXTAB16, 2 SADD16,
4 SMUL, 4 ADD of the sign, 4 SMMLAR, 4 SSAT, 4 STRB = 28 instructions (7 each; 6 without the sign).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from ...graph import Array, Clamp, DType, Quant, Rounding, Tensor
from ...ops.mul import Mul
from . import isa
from .instr import Instr
from .pairs import FIRST, SECOND, Found, bounded, clamp_stem, in_order, pair_lowerings, stores, walk_of

ZEROS, FACTOR, ADDEND = ("r4", "r5"), "r6", "lr"
EVEN = ("r9", "r10")  # bytes 0 and 2 of each operand; bytes 1 and 3 replace the words
PRODUCTS = ("r11", "r12", EVEN[0], FIRST)  # of bytes 0 to 3
SPARE = SECOND  # when the products are there
SHIFTS = range(1, 32)
LARGEST_ADDEND = 1 << 30
BOTH_HALVES = 0x00010001


@dataclass(frozen=True)
class ProductCode:
    """ssat8((smmlar(2p, m, addend - (p < 0))) >> shift), within bounds."""

    shift: int
    signed: bool  # does the sign of p count?
    clamp: Clamp

    @property
    def stem(self) -> str:
        signed = "_signed" if self.signed else ""
        return f"te_pair_product_s{self.shift}{signed}{clamp_stem(self.clamp)}"

    @property
    def twin(self) -> tuple[str, str]:
        return "te_pair_product_twin", "te_pair_product.h"

    @property
    def twin_numbers(self) -> tuple[int, ...]:
        return self.shift, int(self.signed), *self.clamp

    def fixed_operand(self) -> Iterator[Instr]:
        """Doubled in both halves, instead of the zero point."""
        yield isa.pkhbt(SECOND, SECOND, SECOND)
        yield isa.sadd16(ZEROS[1], ZEROS[1], SECOND)
        yield isa.sadd16(ZEROS[1], ZEROS[1], ZEROS[1])

    def word(self, fixed: bool) -> Iterator[Instr]:
        loaded = (FIRST,) if fixed else (FIRST, SECOND)
        for word, even, zero in zip(loaded, EVEN, ZEROS, strict=False):
            yield isa.sxtab16(even, zero, word)
            yield isa.sxtab16(word, zero, word, 8)
        if not fixed:
            yield from (isa.sadd16(half, half, half) for half in (EVEN[1], SECOND))
        second = (ZEROS[1], ZEROS[1]) if fixed else (EVEN[1], SECOND)
        for i, product in enumerate(PRODUCTS):
            yield isa.smul("bt"[i // 2] * 2, product, (EVEN[0], FIRST)[i % 2], second[i % 2])
        yield from self._scaled(PRODUCTS)
        yield from stores(PRODUCTS)

    def byte(self, fixed: bool) -> Iterator[Instr]:
        yield isa.sadd16(FIRST, FIRST, ZEROS[0])
        if not fixed:
            yield isa.sadd16(SECOND, SECOND, ZEROS[1])
            yield isa.sadd16(SECOND, SECOND, SECOND)
        yield isa.smul("bb", FIRST, FIRST, ZEROS[1] if fixed else SECOND)
        yield from self._scaled((FIRST,))

    def _scaled(self, products: tuple[str, ...]) -> Iterator[Instr]:
        for product in products:
            if self.signed:
                yield isa.add_sign(SPARE, ADDEND, product)
            yield isa.smmlar(product, product, FACTOR, SPARE if self.signed else ADDEND)
        yield from bounded(products, self.shift, self.clamp)


@dataclass(frozen=True)
class Product:
    """The numbers of the form."""

    factor: int
    addend: int
    shift: int
    signed: bool

    def values(self, products: Array, clamp: Clamp) -> Array:
        """What the instructions give."""
        addends = self.addend - (products < 0) if self.signed else self.addend
        return np.asarray(np.clip((2 * products * self.factor + (1 << 31) >> 32) + addends >> self.shift, *clamp))


def product_form(op: Mul) -> Product | None:
    """Exactly this operator, or None."""
    quants = (op.x.quant, op.b.quant, op.y.quant)
    assert all(quant is not None for quant in quants)
    return _search(*quants, op.clamp, op.rounding, op.single)


@cache
def _search(a: Quant, b: Quant, y: Quant, clamp: Clamp, rounding: Rounding, single: bool) -> Product | None:
    values = np.arange(-128, 128)
    grid = (values[:, None], values[None, :])
    tensors = [Tensor(name, (256, 256), DType.INT8, quant) for name, quant in (("a", a), ("b", b), ("y", y))]
    op = Mul(0, tuple(tensors[:2]), (tensors[2],), clamp, rounding, single)
    factor, shift = op.scale().mantissa, -op.scale().shift
    if shift not in SHIFTS or not 0 <= factor < 1 << 31:
        return None
    addend = (y.zero_point << shift) + (1 << (shift - 1))
    if abs(addend) >= LARGEST_ADDEND:
        return None
    products, wanted = (grid[0] - a.zero_point) * (grid[1] - b.zero_point), op.reference(grid)[0]
    for signed in (False, True):
        form = Product(factor, addend, shift, signed)
        if np.array_equal(form.values(products, clamp), wanted):
            return form
    return None


def find(op: Mul) -> Found | None:
    walk = walk_of(op)
    form = product_form(op) if walk is not None else None
    if walk is None or form is None:
        return None
    zeros = (-zero & 0xFFFF for zero in in_order(op, walk, op.x.zero_point, op.b.zero_point))
    constants = (*(zero * BOTH_HALVES for zero in zeros), form.factor, form.addend)
    return walk, ProductCode(form.shift, form.signed, op.clamp), constants


LOWERINGS = pair_lowerings(find)
