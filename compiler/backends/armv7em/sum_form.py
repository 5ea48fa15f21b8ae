"""From a sum of bytes to a byte: one multiplication, proved for every sum there can be.

    y = clamp(((sum << lift) * factor >> 32) + addend >> shift)

The output never falls as the sum grows. So only the ends of its steps confine the factor: those of 256.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log2

import numpy as np

from ...graph import Array, Clamp

LARGEST_COUNT = 1 << 12  # bytes in a sum
LARGEST_SHIFT = 22
STEPS = 24  # of the search
MARGIN = 2
OPEN = 1 << 40


@dataclass(frozen=True)
class SumForm:
    lift: int
    factor: int
    addend: int
    shift: int

    def products(self, sums: Array) -> Array:
        return np.asarray((sums << self.lift) * self.factor >> 32)

    def values(self, sums: Array, clamp: Clamp) -> Array:
        return np.asarray(np.clip(self.products(sums) + self.addend >> self.shift, *clamp))


def all_sums(count: int) -> Array:
    """Of so many bytes."""
    return np.arange(-128 * count, 127 * count + 1, dtype=np.int64)


def largest_lift(count: int) -> int:
    return 31 - (128 * count - 1).bit_length()


def sum_form(wanted: Array, count: int, ratio: float, clamp: Clamp, lift: int) -> SumForm | None:
    """`wanted` are the outputs of `all_sums`, about `ratio` of them each."""
    if ratio <= 0 or (np.diff(wanted) < 0).any():
        return None
    shift = min(floor(lift - 1 - log2(ratio) - 1e-9), LARGEST_SHIFT)
    if not 1 <= shift <= LARGEST_SHIFT:
        return None
    sums, outputs = _ends(wanted, count)
    lowest = np.where(outputs > clamp.low, outputs << shift, -OPEN)
    highest = np.where(outputs < clamp.high, (outputs + 1 << shift) - 1, OPEN)
    factor = ratio * 2.0 ** (32 + shift - lift)
    for _ in range(STEPS):
        form = SumForm(lift, round(factor), 0, shift)
        low, high = lowest - form.products(sums), highest - form.products(sums)
        at_low, at_high = low.argmax(), high.argmin()
        first, last = int(low[at_low]), int(high[at_high])
        if first <= last:
            found = SumForm(lift, form.factor, (first + last) // 2, shift)
            return found if _holds(found, wanted, count, clamp) else None
        uphill = int(sums[at_low] - sums[at_high])
        if uphill == 0:
            return None
        factor += (first - last + MARGIN) / uphill * 2.0 ** (32 - lift)
    return None


def _ends(wanted: Array, count: int) -> tuple[Array, Array]:
    """Sums at both ends of each step, and the outputs there."""
    last = np.append(np.flatnonzero(np.diff(wanted)), wanted.size - 1)
    places = np.concatenate([last, np.append(0, last[:-1] + 1)])
    return places - 128 * count, wanted[places].astype(np.int64)


def _holds(form: SumForm, wanted: Array, count: int, clamp: Clamp) -> bool:
    """For each sum, within 32 bits."""
    fits = 0 <= form.factor < 1 << 31 and abs(form.addend) < 1 << 30
    return fits and np.array_equal(form.values(all_sums(count), clamp), wanted)
