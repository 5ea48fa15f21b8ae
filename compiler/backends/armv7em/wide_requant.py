"""From accumulators to int16 outputs, whose zero point is 0: requant.py with 16 bits, and TFLite's wide factors.

A layer with a bias of 64 bits has accumulators of 64 bits, and factors m / 2^t with m of 16 bits:

    q = (acc * m + 2^(t-1)) >> t

Most layers never need more than 32 bits of acc: that is proved from the weights. Then, as floors nest,

    once     ssat16((smmla(acc, M, A)) >> S)          M = m << (32 + S - t),  A = 1 << (S - 1)

is exact, and one S suits all channels whose t differ by 16 or less. A layer with a bias of 32 bits is rescaled
as int8 layers are, each channel with its own shift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...arith import Multiplier, saturate
from ...graph import Array, Clamp, DType, Rounding
from ...ops.scaled import ScaledOp
from ..native.packing import Channels, safe_multiplier
from . import isa
from .instr import Instr
from .requant import LARGEST, Requant, Scaling, largest_accumulators

INT16 = Clamp(-32768, 32767)
EIGHTH = Multiplier(1 << 30, -2)  # as a factor
EIGHTH_16 = Multiplier(1 << 14, -2)  # the same with 16 bits
LARGEST_SHIFT = 31
LARGEST_LIFT = 16  # of a mantissa


@dataclass(frozen=True)
class WideRequant(Requant):
    """The same with another end."""

    output_bytes = 2

    @property
    def unsigned_bits(self) -> int:
        """Of a saturation that is the upper bound, too; 0 if the output has a sign."""
        return self.clamp.high.bit_length() if self.clamp.low == 0 and self.clamp.high > 0 else 0

    @property
    def saturated(self) -> Clamp:
        return Clamp(0, (1 << self.unsigned_bits) - 1) if self.unsigned_bits else INT16

    @property
    def needs_spare(self) -> bool:
        return self.twice or bool(self.bounds)

    def _saturated(self, acc: str) -> Instr:
        right = self.shift or 0
        return isa.usat(acc, self.unsigned_bits, acc, right) if self.unsigned_bits else isa.ssat16(acc, acc, right)

    def _bounded(self, accumulators: Sequence[str], spare: str) -> Iterator[Instr]:
        for condition, value in self.bounds:
            yield from isa.constant(spare, value)
            for acc in accumulators:
                yield from (isa.cmp(acc, spare), isa.move_register_if(condition, acc, spare))

    def store(self, output: str, base: str, offset: int = 0) -> Instr:
        return isa.strh(output, base, offset)

    def store_next(self, output: str, base: str, step: int = 2) -> Instr:
        return isa.strh_next(output, base, step)


@dataclass(frozen=True)
class WideChannels(Channels):
    """Of a layer with int16 inputs."""

    @property
    def extremes(self) -> Array:
        positive = np.maximum(self.weights, 0).sum(axis=1)
        negative = np.minimum(self.weights, 0).sum(axis=1)
        return np.stack(
            [
                self.bias - 32768 * positive + 32767 * negative,
                self.bias + 32767 * positive - 32768 * negative,
            ]
        )


def wide_channels(op: ScaledOp, weights: Array) -> WideChannels:
    """Of weights [channels, depth]: constant channels settled, no negative mantissas."""
    channels = _settled(op, WideChannels(weights.astype(np.int64), op.bias_values(), *_factors(op)))
    sign = np.where(channels.mantissas < 0, -1, 1)
    return replace(
        channels,
        weights=channels.weights * sign[:, None],
        bias=channels.bias * sign,
        mantissas=channels.mantissas * sign,
    )


def _factors(op: ScaledOp) -> tuple[Array, Array]:
    mantissas, shifts = op.multipliers()
    if op.is_wide:
        return mantissas, shifts
    pairs = [safe_multiplier(Multiplier(int(m), int(s)), op.rounding) for m, s in zip(mantissas, shifts, strict=True)]
    safe = np.array(pairs, np.int64).reshape(-1, 2)
    return safe[:, 0], safe[:, 1]


def _settled(op: ScaledOp, channels: WideChannels) -> WideChannels:
    """Channels with the same output for every input get no weights, a small bias and a small factor."""
    wraps = largest_accumulators(channels) << np.clip(channels.shifts, 0, 16) >= LARGEST
    low, high = saturate(op.scaled(channels.extremes), op.clamp, op.y.dtype).astype(np.int64)
    constant = (low == high) & ~wraps & (channels.shifts <= 16)
    eighth = EIGHTH_16 if op.is_wide else EIGHTH
    return replace(
        channels,
        weights=np.where(constant[:, None], 0, channels.weights),
        bias=np.where(constant, low * 8, channels.bias),
        mantissas=np.where(constant, eighth.mantissa, channels.mantissas),
        shifts=np.where(constant, eighth.shift, channels.shifts),
    )


def wide_scaling(op: ScaledOp, channels: WideChannels) -> Scaling | None:
    """How accumulators of 32 bits become outputs; None if they might need more, or it can't be proved."""
    if op.x.dtype is not DType.INT16 or op.rounding is Rounding.AWAY:
        return None
    return _wide(op, channels) if op.is_wide else _narrow(op, channels)


def _wide(op: ScaledOp, channels: WideChannels) -> Scaling | None:
    rights = 15 - channels.shifts
    shift = max(1, int(rights.max()) - 32)
    lifts = 32 + shift - rights
    if lifts.min() < 0 or lifts.max() > LARGEST_LIFT or shift > LARGEST_SHIFT:
        return None
    mantissas = channels.mantissas << lifts
    if largest_accumulators(channels).max() >= LARGEST or mantissas.max() >= LARGEST:
        return None  # else the upper half of no product reaches 2^30, nor does the addend
    return Scaling(WideRequant(False, 0, shift, op.clamp), _words(mantissas, 1 << (shift - 1)))


def _narrow(op: ScaledOp, channels: WideChannels) -> Scaling | None:
    """As in requant.py, for factors below a half."""
    right = -channels.shifts
    single, twice = op.rounding is Rounding.SINGLE, op.rounding is Rounding.DOUBLE and op.clamp.low < 0
    lift = 1 if single or twice else 2
    shifts = right + lift - 1
    if right.min() < 1 or shifts.max() > LARGEST_SHIFT - 1 or channels.mantissas.max() >= LARGEST:
        return None
    if (largest_accumulators(channels) << lift).max() >= LARGEST:
        return None
    shared = int(shifts[0]) if shifts.min() == shifts.max() else None
    addends = (np.int64(1) << (shifts - 1)) + (lift == 2)
    words = _words(channels.mantissas, addends, *([shifts] if shared is None else []))
    return Scaling(WideRequant(twice, -lift, shared, op.clamp), words)


def _words(mantissas: Array, *others: Array | int) -> Array:
    return np.stack([mantissas, *(np.broadcast_to(other, mantissas.shape) for other in others)], axis=1)
