"""From accumulators to bytes: the shortest instructions that the proofs allow, all exact.

TFLite rounds twice: q = (acc * m + 2^30) >> 31, then q / 2^n with ties away from zero, which is
(q + 2^(n-1) - (q < 0)) >> n. Accumulators come to the product as a = 2^e * acc, and c = zero point:

    once     ssat8((smmla(a, m, A)) >> S)                    S = n + e - 1,  A = c << S | half
             Floors nest: both roundings and the zero point are one addend. Exact where a single rounding is
             wanted, where nothing is divided any more (n < 1), and after a ReLU: there the sign of ties, the
             only thing that is lost, belongs to values that are clamped anyway. Two roundings with e = 1 have
             no bit for the first half: there smmlar adds it.
    twice    ssat8((smmlar(2 * acc, m, A - (acc < 0))) >> n)              A = c << n | 1 << (n-1)
             Everywhere else. The sign of acc may stand for that of q: they differ only where q = 0.
             Channels with n < 1 have no second rounding and no sign to look at, and their accumulators come
             as 2^(1 - n) * acc. Where others do, the top bit of the channel's shift tells (`mixed`).

Where channels differ in S, requant_shared.py looks for other m and A with which they do not.

m, A and, unless all channels share it, the shift come from the weight stream. A negative factor is made
positive by negating weights and bias.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import ClassVar

import numpy as np

from ...graph import Array, Clamp, Rounding
from ...ops.scaled import ScaledOp
from ..native.packing import QUARTER, Channels
from . import isa
from .instr import Instr
from .requant_shared import with_one_shift

INT8 = Clamp(-128, 127)
LARGEST = 1 << 31
LARGEST_SHIFT = 31
LIFTS = range(1, 9)  # bits
MIXED_FLAG = 1 << 31


class Kind(IntEnum):
    """As te_dsp_kind in te_dsp_finish.h."""

    ONCE = 0
    TWICE = 1
    MIXED = 2
    ROUNDED = 3  # once, with smmlar


@dataclass(frozen=True)
class Requant:
    """What the instructions depend on."""

    output_bytes: ClassVar[int] = 1

    twice: bool
    before: int  # bits by which accumulators are shifted to the right first, to the left if negative
    shift: int | None  # S or n where all channels share it; else it is a third word of each
    clamp: Clamp
    rounded: bool = False  # `once` with smmlar
    mixed: bool = False  # `twice`, with channels that have no second rounding

    @property
    def kind(self) -> Kind:
        if self.twice:
            return Kind.MIXED if self.mixed else Kind.TWICE
        return Kind.ROUNDED if self.rounded else Kind.ONCE

    @property
    def words(self) -> int:
        """Of each channel in the stream."""
        return 3 if self.shift is None else 2

    @property
    def is_shortest(self) -> bool:
        """Of all forms that accumulators of this scale may have."""
        return not self.twice and self.shift is not None

    @property
    def saturated(self) -> Clamp:
        """What outputs are before bounds are looked at."""
        return INT8

    @property
    def bounds(self) -> tuple[tuple[str, int], ...]:
        """What saturation leaves to do: conditions, and what to take there."""
        low = (("lt", self.clamp.low),) if self.clamp.low > self.saturated.low else ()
        return low + ((("gt", self.clamp.high),) if self.clamp.high < self.saturated.high else ())

    @property
    def needs_spare(self) -> bool:
        """A register, besides those that come from the stream."""
        return self.twice

    @property
    def per_output(self) -> int:
        """Executed instructions, without the store and constants of bounds."""
        product = 1 + self.twice + self.mixed
        return (self.before != 0) + product + (self.shift is None) + 1 + 3 * len(self.bounds)

    @property
    def stem(self) -> str:
        """As a part of a kernel's name."""
        before = f"{self.before}" if self.twice or self.before else ""
        kind = f"{self.kind.name.lower()}{before}".replace("-", "m")
        shift = "" if self.shift is None else f"_s{self.shift}"
        return kind + shift + ("" if self.clamp == INT8 else f"_{self.clamp.low}_{self.clamp.high}".replace("-", "m"))

    @property
    def twin_numbers(self) -> tuple[int, ...]:
        """Members of te_dsp_requant_t."""
        return int(self.kind), self.before, -1 if self.shift is None else self.shift, *self.clamp

    def instructions(
        self, accumulators: Sequence[str], mantissa: str, addend: str, shift: str, spare: str
    ) -> Iterator[Instr]:
        """Several outputs of one channel; `spare` is used if it is needed, `shift` where it is not an immediate."""
        yield from self._moved(accumulators)
        for acc in accumulators:
            yield from self._product(acc, mantissa, addend, shift, spare)
        if self.shift is None:
            yield from (isa.asr_by(acc, acc, shift) for acc in accumulators)
        yield from map(self._saturated, accumulators)
        yield from self._bounded(accumulators, spare)

    def _moved(self, accumulators: Sequence[str]) -> Iterator[Instr]:
        if self.before > 0:
            yield from (isa.asr(acc, acc, self.before) for acc in accumulators)
        if self.before < 0:
            yield from (isa.lsl(acc, acc, -self.before) for acc in accumulators)

    def _product(self, acc: str, mantissa: str, addend: str, shift: str, spare: str) -> Iterator[Instr]:
        if self.mixed:  # shifts by a register look at its lowest byte alone
            yield isa.and_register(spare, acc, shift)
            yield isa.add_sign(spare, addend, spare)
        elif self.twice:
            yield isa.add_sign(spare, addend, acc)
        product = isa.smmlar if self.twice or self.rounded else isa.smmla
        yield product(acc, acc, mantissa, spare if self.twice else addend)

    def _saturated(self, acc: str) -> Instr:
        return isa.ssat8(acc, acc, self.shift or 0)

    def _bounded(self, accumulators: Sequence[str], spare: str) -> Iterator[Instr]:
        for acc in accumulators:
            for condition, value in self.bounds:
                yield from (isa.cmp_value(acc, value), isa.move_if(condition, acc, value))

    def store(self, output: str, base: str, offset: int = 0) -> Instr:
        return isa.strb(output, base, offset)

    def store_next(self, output: str, base: str, step: int = 1) -> Instr:
        return isa.strb_next(output, base, step)


@dataclass(frozen=True)
class Scaling:
    """How the channels of one operator are requantised: the code, and the numbers in its stream."""

    requant: Requant
    words: Array  # [channels, requant.words], uint32: mantissa, addend, and the shift unless it is shared


def positive(channels: Channels) -> Channels:
    """The same outputs without negative mantissas. Where the mantissa is 0, no accumulator matters: not even one
    that wraps."""
    dead = channels.mantissas == 0
    sign = np.where(dead, 0, np.where(channels.mantissas < 0, -1, 1))
    return Channels(
        channels.weights * sign[:, None],
        channels.bias * sign,
        np.where(dead, QUARTER.mantissa, channels.mantissas * sign),
        np.where(dead, QUARTER.shift, channels.shifts),
    )


def scaling(op: ScaledOp, channels: Channels, scale: Array | int) -> Scaling | None:
    """For accumulators times 2^scale, which may differ between channels; None if it can't be proved.

    `channels` come from `positive`: shifts as TFLite has them, to the left if above 0. With a scale of 0
    the accumulators are doubled, or more, before they are multiplied.
    """
    if op.rounding is Rounding.AWAY or (channels.mantissas < 0).any() or (channels.mantissas >= LARGEST).any():
        return None
    scales = np.broadcast_to(np.asarray(scale, np.int64), channels.shifts.shape)
    lifts = (0,) if scales.min(initial=1) > 0 else LIFTS
    best = shortest(_once(op, channels, scales + lift, lift) for lift in lifts)
    return best or _twice(op, channels, scales)


def shortest(found: Iterable[Scaling | None]) -> Scaling | None:
    """The first that can't be beaten, else the best of all."""
    best: Scaling | None = None
    for one in found:
        if one is not None and (best is None or one.requant.per_output < best.requant.per_output):
            best = one
        if best is not None and best.requant.is_shortest:
            break
    return best


def largest_accumulators(channels: Channels) -> Array:
    """Of each channel, the sign aside."""
    return np.asarray(np.abs(channels.extremes).max(axis=0))


def _once(op: ScaledOp, channels: Channels, scales: Array, lift: int) -> Scaling | None:
    """`lift` is what the instructions themselves scale."""
    right = -channels.shifts
    divided = (right >= 1) & (op.rounding is Rounding.DOUBLE)
    shifts = right + scales - 1
    rounded = bool(divided.all() and (scales == 1).all())
    sign_matters = divided.any() and op.clamp.low < op.y.zero_point
    no_room = divided & (scales < 2) & (not rounded)
    if sign_matters or no_room.any() or (shifts < 1).any() or (shifts > LARGEST_SHIFT).any():
        return None
    first_half = np.where(divided & (scales >= 2), np.int64(1) << np.maximum(scales - 2, 0), 0)
    addends = (np.int64(op.y.zero_point) << shifts) + (np.int64(1) << (shifts - 1)) + first_half
    requant = Requant(False, -lift, _shared(shifts), op.clamp, rounded=rounded)
    exact = _proved(channels, scales, addends, shifts, requant)
    return exact if exact is None or requant.shift is not None else _one_shift(op, channels, scales, shifts, exact)


def _one_shift(op: ScaledOp, channels: Channels, scales: Array, shifts: Array, exact: Scaling) -> Scaling:
    """The same with a shift that all channels share, if that can be proved."""
    found = with_one_shift(op, channels, scales, shifts, exact.requant.rounded)
    if found is None:
        return exact
    mantissas, addends, shift = found
    requant = replace(exact.requant, shift=shift)
    return _proved(replace(channels, mantissas=mantissas), scales, addends, shifts, requant) or exact


def _twice(op: ScaledOp, channels: Channels, scales: Array) -> Scaling | None:
    right, left = np.maximum(-channels.shifts, 0), np.maximum(channels.shifts, 0)
    plain = scales - left  # a channel that TFLite shifts to the left first comes so from the weights
    if op.rounding is not Rounding.DOUBLE or plain.min() != plain.max() or plain.min() < 0:
        return None
    if (right > LARGEST_SHIFT).any():
        return None
    divided = right >= 1
    addends = (np.int64(op.y.zero_point) << right) + np.where(divided, np.int64(1) << np.maximum(right - 1, 0), 0)
    mixed = not divided.all()
    shift = None if mixed else _shared(right)
    words = right | np.where(divided, MIXED_FLAG, 0) if mixed else right
    requant = Requant(True, int(plain[0]) - 1, shift, op.clamp, mixed=mixed)
    return _proved(channels, np.maximum(scales, left + 1), addends, words, requant)


def _shared(shifts: Array) -> int | None:
    return int(shifts[0]) if shifts.min() == shifts.max() else None


def _proved(channels: Channels, scales: Array, addends: Array, shifts: Array, requant: Requant) -> Scaling | None:
    """No sum leaves 32 bits for any input."""
    largest = largest_accumulators(channels)
    left = np.maximum(channels.shifts, 0)  # TFLite itself shifts before it multiplies, and must not wrap there
    moved = np.maximum(scales, left)
    if (moved > LARGEST_SHIFT).any() or (largest > (LARGEST - 1) >> moved).any():
        return None
    factor = (largest << (left + 1 if requant.twice else scales)) * channels.mantissas >> 32
    if (factor + np.abs(addends)).max(initial=0) >= LARGEST - 2:
        return None
    columns = [channels.mantissas, addends] + ([shifts] if requant.shift is None else [])
    return Scaling(requant, (np.stack(columns, axis=1) & 0xFFFFFFFF).astype(np.uint32))
