"""Weight streams of the kernels on int16: of each two channels biases, weights, requantisation.

Kept are the layers whose accumulators never need more than 32 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from ...graph import Array
from ...ops.scaled import ScaledOp
from .matrix_stream import PackedMatrix, fit, halves, packed_matrix
from .requant import Requant
from .wide_block import WideBlock, WidePacking
from .wide_requant import WideChannels, wide_channels, wide_scaling


@dataclass(frozen=True, eq=False)
class WideLayer:
    """One operator's weights, and how its accumulators are requantised: all proved."""

    requant: Requant
    channels: WideChannels  # an even depth: behind the last input of an odd number a weight that is 0
    finish: Array  # [channels, requant.words]

    @property
    def pairs(self) -> int:
        """Of inputs."""
        return int(self.channels.weights.shape[1]) // 2

    @property
    def fits_bytes(self) -> bool:
        return fit(self.channels.weights, 8)


def wide_layer(op: ScaledOp, weights: Array) -> WideLayer | None:
    """Of weights [channels, depth], if it can be proved."""
    padded = np.pad(weights, ((0, 0), (0, weights.shape[1] % 2)))
    channels = wide_channels(op, padded)
    scaling = wide_scaling(op, channels)
    return WideLayer(scaling.requant, channels, scaling.words) if scaling else None


def wide_packings(op: ScaledOp, weights: Array) -> tuple[PackedMatrix, ...]:
    """All that are proved for weights [channels, depth]."""
    layer = wide_layer(op, weights)
    if layer is None:
        return ()
    return tuple(_packed(op, layer, p) for p in WidePacking if p is WidePacking.I16 or layer.fits_bytes)


def _packed(op: ScaledOp, layer: WideLayer, packing: WidePacking) -> PackedMatrix:
    pitch = op.channels * op.y.dtype.size
    block = WideBlock(packing, layer.requant, layer.pairs, pitch, passes=op.channels // 2)
    return packed_matrix(block, layer.channels.bias, partial(_words, layer, packing), layer.finish)


def _words(layer: WideLayer, packing: WidePacking, few: slice) -> Array:
    weights = layer.channels.weights[few]
    pairs = weights.reshape(len(weights), -1, 2).transpose(1, 0, 2)  # [pair, channel, input]
    if len(weights) == 1 or packing is WidePacking.I16:
        return halves(pairs)
    data = pairs & 0xFF
    return halves(data[:, 0] | data[:, 1] << 8)
