"""What depthwise routines read from flash, and the proof that they may: for each channel bias, mantissa, addend
[, shift] and the weights: words of pairs or of polynomials, or bytes from which those are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...graph import Array
from ...ops.depthwise_conv2d import DepthwiseConv2D
from ..native.packing import Channels, differences, settled_channels
from . import requant
from .depthwise_shape import FIELD, Sums, Window
from .depthwise_unpack import Unpacking, byte_words, fits
from .requant import Scaling

LARGEST_HALF = 1 << 15
COMMON_SHIFT = 10  # which most layers can take, and then share code
LARGEST_PIXEL = 128  # either sign
LARGEST_COEFFICIENT = 1 << (31 - FIELD)


@dataclass(frozen=True)
class Proved:
    """Channels with a way to requantise them: accumulators scaled within the weights, and after the sums."""

    weights: Array  # [channels, rows * columns of the window]
    bias: Array
    after: int  # bits by which sums are shifted up, or weights when they are unpacked
    scaling: Scaling

    @property
    def largest(self) -> int:
        """Of all weights, the sign aside."""
        return int(np.abs(self.weights).max(initial=0))


def channels_of(op: DepthwiseConv2D, seen: Window) -> Channels:
    """Without taps that meet nothing but the border, where a pixel's distance from the zero point is 0."""
    (row, column), (rows, columns) = seen.first, seen.kernel
    taps = differences(op).reshape(*op.kernel, op.channels)[row : row + rows, column : column + columns]
    weights = np.ascontiguousarray(taps.reshape(-1, op.channels).T)
    return requant.positive(settled_channels(op, weights))


def for_pairs(op: DepthwiseConv2D, channels: Channels) -> Proved | None:
    """Scales that let all channels share a shift, if weights have room for them; else what each channel needs."""
    right = -channels.shifts
    shared = (right.max(initial=0) + 1, COMMON_SHIFT)
    for scales in (*(shift - right + 1 for shift in sorted(shared, reverse=True)), *_least_scales(channels)):
        proved = _proved(op, channels, scales)
        if proved is not None and proved.largest < LARGEST_HALF:
            return proved
    return None


def for_bytes(
    op: DepthwiseConv2D, channels: Channels, ways: Sequence[Unpacking] = (Unpacking.X256, Unpacking.X2)
) -> Iterator[tuple[Unpacking, Proved]]:
    """Pairs that unpacking scales alike in all channels, but for those that TFLite shifts to the left. What takes
    longer to unpack is left out where nothing could be gained."""
    left = np.maximum(channels.shifts, 0)
    for unpacking in ways:
        for more in (np.zeros_like(left), left) if left.any() else (left,):
            proved = _proved(op, channels, unpacking.scale + more, unpacking.scale)
            if proved is not None and _fits(unpacking, proved):
                yield unpacking, proved
                if proved.scaling.requant.is_shortest:
                    return


def _fits(unpacking: Unpacking, proved: Proved) -> bool:
    """Weights in bytes; and the shift of a channel, if biases hold it."""
    return fits(proved.weights) and not (unpacking is Unpacking.X256 and proved.scaling.requant.mixed)


def for_polynomials(op: DepthwiseConv2D, channels: Channels) -> Proved | None:
    """Weights take what some channels' accumulators are to be scaled more than others'. No field of a sum may
    reach 2^20, for any input."""
    for scales in _least_scales(channels):
        proved = _proved(op, channels, scales, int(scales.min()))
        if proved is not None and proved.largest < LARGEST_COEFFICIENT:
            sums = LARGEST_PIXEL * np.abs(proved.weights).sum(axis=1)
            if sums.max(initial=0) < 1 << (FIELD - 1):
                return proved
    return None


def _least_scales(channels: Channels) -> tuple[Array, Array]:
    """For one rounding and for two: TFLite shifts some channels to the left first."""
    left = np.maximum(channels.shifts, 0)
    return left + 2, left + 1


def _proved(op: DepthwiseConv2D, channels: Channels, scales: Array, after: int = 0) -> Proved | None:
    scaling = requant.scaling(op, channels, scales)
    if scaling is None or scaling.requant.before != 0:
        return None
    within = scales - after
    return Proved(channels.weights << within[:, None], channels.bias << within, after, scaling)


def pairs_stream(proved: Proved, sums: Sums, unpacking: Unpacking | None = None) -> Array:
    parts = _pair_parts(proved.weights.reshape(-1, *sums.kernel), sums)
    parts = parts.reshape(len(parts), -1, 2)
    halves = parts & 0xFFFF
    words = byte_words(parts, unpacking) if unpacking else halves[..., 0] | halves[..., 1] << 16
    return _stream(_header(proved, proved.bias << proved.after, unpacking), words)


def poly_stream(proved: Proved, sums: Sums, unpacking: Unpacking | None = None) -> Array:
    taps = _padded(proved.weights.reshape(-1, *sums.kernel), sums.start)
    parts = np.stack([taps[..., 1::2], taps[..., 0::2]], axis=-1).reshape(len(taps), -1, 2)
    words = byte_words(parts, unpacking) if unpacking else parts[..., 0] + (parts[..., 1] << FIELD)
    bias = (proved.bias - (1 << (FIELD - 1))) << proved.after
    return _stream(_header(proved, bias), words)


def _header(proved: Proved, bias: Array, unpacking: Unpacking | None = None) -> Array:
    """[channels, words]"""
    words = np.concatenate([bias[:, None], proved.scaling.words.astype(np.int64)], axis=1)
    count = words.shape[1]
    if unpacking and unpacking.stream_header(count) < count:
        words[:, 0] += words[:, 3]
        return words[:, :3]
    return words


def _stream(header: Array, weights: Array) -> Array:
    return (np.concatenate([header, weights], axis=1).reshape(-1) & 0xFFFFFFFF).astype(np.uint32)


def _pair_parts(taps: Array, sums: Sums) -> Array:
    """[channels, rows, taps] to [channels, rows, words, low and high half]."""
    if not sums.both:
        return _joined(_padded(taps, sums.start))
    count = taps.shape[-1]
    if count == 1:
        return _joined(_padded(taps, 0))
    parts = [_joined(taps[..., : count // 2 * 2]), _joined(taps[..., 1 : 1 + (count - 1) // 2 * 2])]
    return np.concatenate(parts, axis=-2)


def _joined(halves: Array) -> Array:
    return np.stack([halves[..., 0::2], halves[..., 1::2]], axis=-1)


def _padded(taps: Array, before: int) -> Array:
    """Zeros in front, and one behind if their number is odd."""
    after = (taps.shape[-1] + before) % 2
    return np.pad(taps, ((0, 0), (0, 0), (before, after)))
