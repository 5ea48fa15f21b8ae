"""Packing x256: the weight stream of a pointwise kernel, and the proof that it may be used."""

from __future__ import annotations

import numpy as np

from ...graph import Array, Clamp, DType, Rounding
from ...ops.conv2d import Conv2D

LARGEST_OFFSET = 4095  # of LDR and STRB: the last of four pixels lies three pixels on


def unsuitable(op: Conv2D) -> str | None:
    """Why this convolution can't use the kernel; None if everything is proved."""
    kernel_is_pointwise = op.kernel == (1, 1) and op.stride == (1, 1) and not any(op.padding)
    if not kernel_is_pointwise:
        return "not a 1x1 convolution of stride 1"
    channels_in, channels_out = op.x.image.channels, op.y.image.channels
    if channels_in % 4 or channels_out % 2 or 3 * max(channels_in, channels_out) + 4 > LARGEST_OFFSET:
        return f"{channels_in} -> {channels_out} channels"
    if op.x.dtype is not DType.INT8 or op.weights.zero_point != 0:
        return "other types, or weights with a zero point"
    if op.rounding is not Rounding.DOUBLE or op.clamp != Clamp(-128, 127):
        return "other rounding or activation bounds"
    return _arithmetic_fault(op)


def _arithmetic_fault(op: Conv2D) -> str | None:
    weights = _matrix(op)
    if weights.min(initial=0) < -127:
        return "a weight of -128"
    if int(np.abs(_extremes(op, weights)).max()) >= 1 << 23:
        return "accumulators beyond 23 bits"
    mantissas, shifts = op.multipliers()[0], -op.multipliers()[1]
    if mantissas.min() < 0:
        return "a negative weight scale"
    if shifts.min() < 1 or shifts.max() > 22:
        return "a shift outside 1 ... 22"
    if int(np.abs(_addends(op)).max()) >= 1 << 30:
        return "rounding addend beyond 30 bits"
    return None


def has_relu(op: Conv2D) -> bool:
    return op.clamp.low == op.y.zero_point == -128


def stream(op: Conv2D) -> Array:
    """For each pair of channels: two biases, the weights, then mantissa, addend and shift of each."""
    weights, mantissas = _matrix(op), op.multipliers()[0]
    shifts = -op.multipliers()[1] + (7 if has_relu(op) else 0)
    folded = 256 * (op.bias_values() - op.x.zero_point * weights.sum(axis=1) + 127 * weights[:, 0::2].sum(axis=1))
    words = _words(weights)
    requant = np.stack([mantissas, _addends(op), shifts], axis=1)
    pairs = []
    for c in range(0, len(weights), 2):
        pairs += [folded[c : c + 2], words[c : c + 2].T.reshape(-1), requant[c : c + 2].reshape(-1)]
    return (np.concatenate(pairs) & 0xFFFFFFFF).astype(np.uint32)


def _matrix(op: Conv2D) -> Array:
    return op.weight_values().reshape(op.y.image.channels, -1).astype(np.int64)


def _words(weights: Array) -> Array:
    """[channels, inputs] to [channels, inputs / 4] words of two halves 256 * w[2i] + w[2i + 1]."""
    halves = (256 * weights[:, 0::2] + weights[:, 1::2]) & 0xFFFF
    return np.asarray(halves[:, 0::2] | halves[:, 1::2] << 16)


def _addends(op: Conv2D) -> Array:
    right = -op.multipliers()[1]
    plain = (np.int64(1) << (right - 1)) + (np.int64(op.y.zero_point) << right)
    return np.asarray(64 + (plain << 7) if has_relu(op) else plain)


def _extremes(op: Conv2D, weights: Array) -> Array:
    """Smallest and largest accumulator of each channel over all inputs."""
    low, high = -128 - op.x.zero_point, 127 - op.x.zero_point
    least = np.where(weights > 0, weights * low, weights * high).sum(axis=1)
    most = np.where(weights > 0, weights * high, weights * low).sum(axis=1)
    return np.stack([least + op.bias_values(), most + op.bias_values()])
