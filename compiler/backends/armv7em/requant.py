"""From accumulators to bytes: the shortest instructions that the proofs allow, all exact.

TFLite rounds twice: q = (acc * m + 2^30) >> 31, then q / 2^n with ties away from zero, which is
(q + 2^(n-1) - (q < 0)) >> n. Accumulators arrive as a = 2^e * acc, and c = zero point:

    once     ssat8((smmla(a, m, A)) >> S)                    S = n + e - 1,  A = c << S | half
             Floors nest: both roundings and the zero point are one addend. Exact where a single rounding is
             wanted, where nothing is divided any more (n < 1), and after a ReLU: there the sign of ties, the
             only thing that is lost, belongs to values that are clamped anyway.
    twice    ssat8((smmlar(2 * acc, m, A - (acc < 0))) >> n)              A = c << n | 1 << (n-1)
             Everywhere else. The sign of acc may stand for that of q: they differ only where q = 0.

m, A and, unless all channels share it, the shift come from the weight stream. A negative factor is made
positive by negating weights and bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...graph import Array, Clamp, Rounding
from ...ops.scaled import ScaledOp
from ..native.packing import Channels
from . import isa
from .instr import Instr

INT8 = Clamp(-128, 127)
LARGEST = 1 << 31
LARGEST_SHIFT = 31


@dataclass(frozen=True)
class Requant:
    """What the instructions depend on."""

    twice: bool
    before: int  # bits that `twice` takes off first: accumulators arrive times 2^(before + 1)
    shift: int | None  # S or n where all channels share it; else it is a third word of each
    clamp: Clamp

    @property
    def words(self) -> int:
        """Of each channel in the stream."""
        return 3 if self.shift is None else 2

    @property
    def stem(self) -> str:
        """As a part of a kernel's name."""
        kind = f"twice{self.before}" if self.twice else "once"
        shift = "" if self.shift is None else f"_s{self.shift}"
        return kind + shift + ("" if self.clamp == INT8 else f"_{self.clamp.low}_{self.clamp.high}".replace("-", "m"))

    @property
    def twin_numbers(self) -> tuple[int, ...]:
        """Arguments of te_dsp_finish, behind the words of the channel."""
        return int(self.twice), self.before, -1 if self.shift is None else self.shift, *self.clamp

    def instructions(
        self, accumulators: Sequence[str], mantissa: str, addend: str, shift: str, spare: str
    ) -> Iterator[Instr]:
        """Several outputs of one channel; `spare` is used by `twice` alone, `shift` where it is not an immediate."""
        if self.twice and self.before:
            yield from (isa.asr(acc, acc, self.before) for acc in accumulators)
        for acc in accumulators:
            if self.twice:
                yield isa.add_sign(spare, addend, acc)
                yield isa.smmlar(acc, acc, mantissa, spare)
            else:
                yield isa.smmla(acc, acc, mantissa, addend)
        if self.shift is None:
            yield from (isa.asr_by(acc, acc, shift) for acc in accumulators)
        yield from (isa.ssat8(acc, acc, self.shift or 0) for acc in accumulators)
        for acc in accumulators:
            yield from self._bounds(acc)

    def _bounds(self, acc: str) -> Iterator[Instr]:
        if self.clamp.low > INT8.low:
            yield from (isa.cmp_value(acc, self.clamp.low), isa.move_if("lt", acc, self.clamp.low))
        if self.clamp.high < INT8.high:
            yield from (isa.cmp_value(acc, self.clamp.high), isa.move_if("gt", acc, self.clamp.high))

    @property
    def per_output(self) -> int:
        """Executed instructions, without the store."""
        bounds = 3 * (self.clamp.low > INT8.low) + 3 * (self.clamp.high < INT8.high)
        return (2 + (self.before > 0) if self.twice else 1) + (self.shift is None) + 1 + bounds


@dataclass(frozen=True)
class Scaling:
    """How the channels of one operator are requantised: the code, and the numbers in its stream."""

    requant: Requant
    words: Array  # [channels, requant.words], uint32: mantissa, addend, and the shift unless it is shared


def positive(channels: Channels) -> Channels:
    """The same outputs without negative mantissas."""
    sign = np.where(channels.mantissas < 0, -1, 1)
    return Channels(channels.weights * sign[:, None], channels.bias * sign, channels.mantissas * sign, channels.shifts)


def scaling(op: ScaledOp, channels: Channels, scale: Array | int) -> Scaling | None:
    """For accumulators times 2^scale, which may differ between channels; None if it can't be proved.

    `channels` come from `positive`: shifts as TFLite has them, to the left if above 0.
    """
    if op.rounding is Rounding.AWAY or (channels.mantissas < 0).any():
        return None
    scales = np.broadcast_to(np.asarray(scale, np.int64), channels.shifts.shape)
    return _once(op, channels, scales) or _twice(op, channels, scales)


def largest_accumulators(channels: Channels) -> Array:
    """Of each channel, the sign aside."""
    return np.asarray(np.abs(channels.extremes).max(axis=0))


def _once(op: ScaledOp, channels: Channels, scales: Array) -> Scaling | None:
    right = -channels.shifts
    divided = (right >= 1) & (op.rounding is Rounding.DOUBLE)
    shifts = right + scales - 1
    sign_matters = divided.any() and op.clamp.low < op.y.zero_point
    if sign_matters or (scales < 2).any() or (shifts < 1).any() or (shifts > LARGEST_SHIFT).any():
        return None
    half = (np.int64(1) << (shifts - 1)) + np.where(divided, np.int64(1) << (scales - 2), 0)
    return _proved(op, channels, scales, (np.int64(op.y.zero_point) << shifts) + half, shifts, twice=False)


def _twice(op: ScaledOp, channels: Channels, scales: Array) -> Scaling | None:
    right = -channels.shifts
    uniform = scales.min() == scales.max() and scales.min() >= 1
    if op.rounding is not Rounding.DOUBLE or not uniform or (right < 1).any() or (right > LARGEST_SHIFT).any():
        return None
    addends = (np.int64(op.y.zero_point) << right) + (np.int64(1) << (right - 1))
    return _proved(op, channels, scales, addends, right, twice=True)


def _proved(
    op: ScaledOp, channels: Channels, scales: Array, addends: Array, shifts: Array, *, twice: bool
) -> Scaling | None:
    """No sum leaves 32 bits for any input."""
    largest = largest_accumulators(channels)
    left = np.maximum(channels.shifts, 0)  # TFLite itself shifts before it multiplies, and must not wrap there
    if (largest << np.maximum(scales, left)).max(initial=0) >= LARGEST:
        return None
    factor = (largest << (1 if twice else scales)) * channels.mantissas >> 32
    if (factor + np.abs(addends)).max(initial=0) >= LARGEST - 2:
        return None
    shared = int(shifts[0]) if shifts.min() == shifts.max() else None
    requant = Requant(twice, int(scales[0]) - 1 if twice else 0, shared, op.clamp)
    columns = [channels.mantissas, addends] + ([shifts] if shared is None else [])
    return Scaling(requant, (np.stack(columns, axis=1) & 0xFFFFFFFF).astype(np.uint32))
