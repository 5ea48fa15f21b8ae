"""Packings of a weight matrix for the kernels of gemm_block.py, each with the proof that it may be used.

A word of weights meets two operands: A of inputs 0 and 2 of its group, B of inputs 1 and 3.

    x256   halves 256 * w0 + w1, 256 * w2 + w3; accumulators arrive times 256 and have 23 bits and a sign
    i16    two words, halves w0, w2 and w1, w3, each channel times a power of two that suits requantisation
    i8     four bytes; any weights of 8 bits, accumulators of 30 bits and a sign
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...graph import Array, DType, Rounding
from ...ops.scaled import ScaledOp
from ..native.packing import Channels, settled_channels
from .gemm_block import GROUP, Block, Packing
from .matrix_stream import PackedMatrix, fit, halves, packed_matrix
from .requant import positive, scaling

X256_BITS = 8
LARGEST_SCALE = 16  # bits; only channels without weights take more than 8 anyway


def packings(op: ScaledOp, weights: Array, wanted: Sequence[Packing] = tuple(Packing)) -> tuple[PackedMatrix, ...]:
    """Those that are proved for these weights ([channels, depth], their zero point taken away)."""
    if op.x.dtype is not DType.INT8 or op.rounding is Rounding.AWAY:
        return ()
    padded = np.pad(weights.astype(np.int64), ((0, 0), (0, -weights.shape[1] % GROUP)))
    channels = positive(settled_channels(op, padded))
    found = (_packed(op, channels, packing) for packing in wanted)
    return tuple(packed for packed in found if packed is not None)


def _packed(op: ScaledOp, channels: Channels, packing: Packing) -> PackedMatrix | None:
    """With the scales that make requantisation shortest."""
    best: PackedMatrix | None = None
    for scales in _scales(channels, packing):
        made = _scaled(op, channels, packing, scales)
        if made and (best is None or made.block.requant.per_output < best.block.requant.per_output):
            best = made
        if best and best.block.requant.is_shortest:
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


def _scaled(op: ScaledOp, channels: Channels, packing: Packing, scales: Array) -> PackedMatrix | None:
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
    pitch = op.channels * op.y.dtype.size
    block = Block(packing, finish.requant, words.shape[1], pitch, passes=op.channels // 2)
    return packed_matrix(block, bias, lambda few: words[few].transpose(1, 2, 0), finish.words)


def _words(packing: Packing, weights: Array) -> Array | None:
    """[channels, groups, words] of [channels, depth]; None if they do not fit."""
    lanes = weights.reshape(len(weights), -1, 2, 2)  # [..., half, operand]
    if packing is Packing.I16:
        return halves(lanes.swapaxes(2, 3)) if fit(weights, 16) else None
    if not fit(weights, 8):
        return None
    if packing is Packing.I8:
        data = lanes & 0xFF
        return halves(data[..., 0] | data[..., 1] << 8)[..., None]
    pairs = 256 * lanes[..., 0] + lanes[..., 1]
    return halves(pairs)[..., None] if fit(pairs, 16) else None
