"""Packings of a weight matrix for the kernels of gemm_block.py, each with the proof that it may be used.

A word of weights meets two operands: A of inputs 0 and 2 of its group, B of inputs 1 and 3.

    x256   halves 256 * w0 + w1, 256 * w2 + w3; accumulators arrive times 256 and have 23 bits and a sign
    i16    two words, halves w0, w2 and w1, w3, each channel times a power of two that suits requantisation
    i8     four bytes; any weights of 8 bits, accumulators of 30 bits and a sign
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from ...graph import Array, DType, Rounding
from ...ops.scaled import ScaledOp
from ..native.packing import Channels, settled_channels
from .operands import Operands
from .requant import Requant, positive, scaling

GROUP = 4  # inputs
X256_BITS = 8
LARGEST_SCALE = 16  # bits; only channels without weights take more than 8 anyway


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


@dataclass(frozen=True, eq=False)
class Packed:
    """One operator's weights as kernels multiply them, and how its accumulators are requantised."""

    packing: Packing
    requant: Requant
    bias: Array  # [channels]
    weights: Array  # [channels, groups, packing.words], words
    finish: Array  # [channels, requant.words]

    @property
    def groups(self) -> int:
        return int(self.weights.shape[1])

    @property
    def channels(self) -> int:
        return len(self.bias)

    @cached_property
    def stream(self) -> Array:
        """Of each two channels, and of the last one if it has no partner: biases, weights, requantisation."""
        parts = [part for c in range(0, self.channels, 2) for part in self._few(slice(c, c + 2))]
        return (np.concatenate(parts) & 0xFFFFFFFF).astype(np.uint32)

    def _few(self, few: slice) -> tuple[Array, ...]:
        """The channels change fastest."""
        return self.bias[few], self.weights[few].transpose(1, 2, 0).reshape(-1), self.finish[few].reshape(-1)


def packings(op: ScaledOp, weights: Array, wanted: Sequence[Packing] = tuple(Packing)) -> tuple[Packed, ...]:
    """Those that are proved for these weights ([channels, depth], their zero point taken away)."""
    if op.x.dtype is not DType.INT8 or op.rounding is Rounding.AWAY:
        return ()
    padded = np.pad(weights.astype(np.int64), ((0, 0), (0, -weights.shape[1] % GROUP)))
    channels = positive(settled_channels(op, padded))
    found = (_packed(op, channels, packing) for packing in wanted)
    return tuple(packed for packed in found if packed is not None)


def _packed(op: ScaledOp, channels: Channels, packing: Packing) -> Packed | None:
    """With the scales that make requantisation shortest."""
    best: Packed | None = None
    for scales in _scales(channels, packing):
        made = _scaled(op, channels, packing, scales)
        if made is not None and (best is None or made.requant.per_output < best.requant.per_output):
            best = made
        if best is not None and best.requant.is_shortest:
            break
    return best


def _scales(channels: Channels, packing: Packing) -> Iterator[Array]:
    """What accumulators may be multiplied with, as powers of two of each channel."""
    right, left = -channels.shifts, np.maximum(channels.shifts, 0)
    if packing is Packing.I16:
        yield np.maximum(right.max(), 1) + 2 - right  # all channels share one shift
        yield np.maximum(2, 2 - right)
        yield 1 + left
        return
    least = np.full_like(right, X256_BITS if packing is Packing.X256 else 0)
    yield least
    if left.any():
        yield least + left


def _scaled(op: ScaledOp, channels: Channels, packing: Packing, scales: Array) -> Packed | None:
    if scales.max() > LARGEST_SCALE:
        return None
    extra = scales - (X256_BITS if packing is Packing.X256 else 0)
    weights = channels.weights << extra[:, None]
    words = _words(packing, weights)
    finish = None if words is None else scaling(op, channels, scales)
    if words is None or finish is None:
        return None
    bias = channels.bias << extra
    if packing is Packing.X256:
        bias = 256 * (bias + 127 * weights[:, 0::2].sum(axis=1))
    return Packed(packing, finish.requant, bias, words, finish.words.astype(np.int64))


def _words(packing: Packing, weights: Array) -> Array | None:
    """[channels, groups, words] of [channels, depth]; None if they do not fit."""
    lanes = weights.reshape(len(weights), -1, 2, 2)  # [..., half, operand]
    if packing is Packing.I16:
        return _halves(lanes.swapaxes(2, 3)) if _fit(weights, 16) else None
    if not _fit(weights, 8):
        return None
    if packing is Packing.I8:
        data = lanes & 0xFF
        return _halves(data[..., 0] | data[..., 1] << 8)[..., None]
    pairs = 256 * lanes[..., 0] + lanes[..., 1]
    return _halves(pairs)[..., None] if _fit(pairs, 16) else None


def _fit(values: Array, bits: int) -> bool:
    most = 1 << (bits - 1)
    return bool(-most <= values.min(initial=0) and values.max(initial=0) < most)


def _halves(pairs: Array) -> Array:
    """Words of the last axis' two values."""
    halves = pairs & 0xFFFF
    return np.asarray(halves[..., 0] | halves[..., 1] << 16)
