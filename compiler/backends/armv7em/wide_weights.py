"""Weight streams of the kernels on int16: of each two channels biases, weights, requantisation.

Kept are the layers whose accumulators never need more than 32 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...graph import Array
from ...ops.scaled import ScaledOp
from .wide_block import WidePacking
from .wide_requant import WideChannels, WideRequant, wide_channels, wide_scaling


@dataclass(frozen=True, eq=False)
class WideLayer:
    """One operator's weights, and how its accumulators are requantised: all proved."""

    requant: WideRequant
    channels: WideChannels  # an even depth: behind the last input of an odd number a weight that is 0
    finish: Array  # [channels, requant.words]

    @property
    def pairs(self) -> int:
        """Of inputs."""
        return int(self.channels.weights.shape[1]) // 2

    @property
    def fits_bytes(self) -> bool:
        weights = self.channels.weights
        return bool(weights.min(initial=0) >= -128 and weights.max(initial=0) <= 127)


def wide_layer(op: ScaledOp, weights: Array) -> WideLayer | None:
    """Of weights [channels, depth], if it can be proved."""
    padded = np.pad(weights, ((0, 0), (0, weights.shape[1] % 2)))
    channels = wide_channels(op, padded)
    scaling = wide_scaling(op, channels)
    if scaling is None:
        return None
    return WideLayer(scaling.requant, channels, scaling.words)


@dataclass(frozen=True, eq=False)
class WidePacked:
    """Packed for wide_block.py."""

    packing: WidePacking
    layer: WideLayer

    @cached_property
    def stream(self) -> Array:
        """The last channel is alone if it has no partner."""
        count = len(self.layer.channels.bias)
        parts = [part for c in range(0, count, 2) for part in self._few(slice(c, c + 2))]
        return words_of(np.concatenate(parts))

    def _few(self, few: slice) -> tuple[Array, ...]:
        channels = self.layer.channels
        return channels.bias[few], self._words(channels.weights[few]), self.layer.finish[few].reshape(-1)

    def _words(self, weights: Array) -> Array:
        """Of one or two channels, which change fastest."""
        pairs = weights.reshape(len(weights), -1, 2).transpose(1, 0, 2)  # [pair, channel, input]
        if len(weights) == 1 or self.packing is WidePacking.I16:
            return halves(pairs).reshape(-1)
        data = pairs & 0xFF
        return halves(data[:, 0] | data[:, 1] << 8)

    @property
    def last_words(self) -> int:
        """Of the last channel, if it has no partner."""
        layer = self.layer
        return len(layer.channels.bias) % 2 * (1 + layer.pairs + layer.requant.words)


def halves(pairs: Array) -> Array:
    """Words of the last axis' two values."""
    low = pairs & 0xFFFF
    return np.asarray(low[..., 0] | low[..., 1] << 16)


def words_of(values: Array) -> Array:
    return (values.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)


def wide_packings(op: ScaledOp, weights: Array) -> tuple[WidePacked, ...]:
    """All that are proved for weights [channels, depth]."""
    layer = wide_layer(op, weights)
    if layer is None:
        return ()
    return tuple(WidePacked(p, layer) for p in WidePacking if p is WidePacking.I16 or layer.fits_bytes)
