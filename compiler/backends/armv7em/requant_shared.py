"""One shift for all channels, found by proof: mantissas lose a few bits, addends make up for it.

Outputs never fall where accumulators rise, and 255 steps say all about them. Where every step of
(smmla(2^e * acc, m', A') >> S) lies where TFLite has it, the two are equal, whatever m' and A' are.
"""

from __future__ import annotations

import numpy as np

from ...arith import rescale
from ...graph import Array
from ...ops.scaled import ScaledOp
from ..native.packing import Channels

NEAR = np.arange(-2, 4)  # accumulators around the place where a step should be
CHANGES = (0, 1, -1, 2, -2, 3, -3)  # of the last bits of a mantissa
LARGEST_LOSS = 8  # bits
SOME = 64  # channels at a time


def with_one_shift(
    op: ScaledOp, channels: Channels, scales: Array, shifts: Array, rounded: bool
) -> tuple[Array, Array, int] | None:
    """Mantissas, addends and the shift for accumulators times 2^scales, whose own shifts these are."""
    low, high = channels.extremes
    if (low == high).all():
        return None
    shift = int(shifts[low < high].min())
    losses = np.where(low < high, shifts - shift, 0)
    if losses.max() > LARGEST_LOSS:
        return None
    parts = [slice(first, first + SOME) for first in range(0, len(low), SOME)]
    found = [_some(op, _channels(channels, part), scales[part], losses[part], shift, rounded) for part in parts]
    pairs = [pair for pair in found if pair is not None]
    if len(pairs) < len(found):
        return None
    return np.concatenate([m for m, _ in pairs]), np.concatenate([a for _, a in pairs]), shift


def _channels(channels: Channels, part: slice) -> Channels:
    return Channels(channels.weights[part], channels.bias[part], channels.mantissas[part], channels.shifts[part])


def _some(
    op: ScaledOp, channels: Channels, scales: Array, losses: Array, shift: int, rounded: bool
) -> tuple[Array, Array] | None:
    points = _points(op, channels)
    wanted = _outputs(op, channels, points)
    if not _all_steps_are_there(op, channels, points, wanted):
        return None
    nearest = (channels.mantissas + (np.int64(1) << losses >> 1)) >> losses
    mantissas, addends = np.zeros_like(nearest), np.zeros_like(nearest)
    missing = np.ones(len(nearest), bool)
    for change in CHANGES:
        changed = np.minimum(nearest + change, (1 << 31) - 1)
        products = ((points << scales) * changed + ((1 << 31) if rounded else 0)) >> 32
        least = np.where(wanted > op.clamp.low, (wanted << shift) - products, -(1 << 40)).max(axis=0)
        most = np.where(wanted < op.clamp.high, (wanted + 1 << shift) - 1 - products, 1 << 40).min(axis=0)
        now = missing & (least <= most)
        mantissas[now], addends[now] = changed[now], _between(least, most)[now]
        missing &= ~now
        if not missing.any():
            return mantissas, addends
    return None


def _between(least: Array, most: Array) -> Array:
    """In the middle; near the end that binds, where the other is open."""
    return np.asarray(np.where(least < -(1 << 39), most, np.where(most > 1 << 39, least, (least + most) >> 1)))


def _outputs(op: ScaledOp, channels: Channels, acc: Array) -> Array:
    exact = rescale(acc, channels.mantissas, channels.shifts, op.rounding) + op.y.zero_point
    return np.asarray(np.clip(exact, *op.clamp))


def _points(op: ScaledOp, channels: Channels) -> Array:
    """[points, channels]: what lies around each place where the output should rise by one, then the two ends."""
    factors = channels.mantissas * 2.0 ** (channels.shifts - 31)
    low, high = channels.extremes
    places = np.ceil((_levels(op) - op.y.zero_point - 0.5)[:, None] / factors)
    around = np.clip(places, low - 9, high + 9).astype(np.int64)[:, None] + NEAR[:, None]
    return np.concatenate([np.clip(around, low, high).reshape(-1, len(low)), low[None], high[None]])


def _levels(op: ScaledOp) -> Array:
    return np.arange(op.clamp.low + 1, op.clamp.high + 1)


def _all_steps_are_there(op: ScaledOp, channels: Channels, points: Array, outputs: Array) -> bool:
    """Each output rises between the first and the last point around its place, or not at all."""
    low, high = channels.extremes
    levels, shape = _levels(op)[:, None], (-1, len(NEAR), len(low))
    points, outputs = points[:-2].reshape(shape), outputs[:-2].reshape(shape)
    before = (outputs[:, 0] < levels) | (points[:, 0] == low)
    behind = (outputs[:, -1] >= levels) | (points[:, -1] == high)
    return bool((before & behind).all())
