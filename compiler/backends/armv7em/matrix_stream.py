"""Weight streams of the blocks of matrix_block.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...graph import Array
from .matrix_block import MatrixBlock


@dataclass(frozen=True, eq=False)
class PackedMatrix:
    """One operator's weights as kernels multiply them, and how its accumulators are requantised."""

    block: MatrixBlock  # that takes two channels of four pixels
    stream: Array
    last_words: int  # of the last channel, if it has no partner

    @property
    def spec(self) -> str:
        """Which packing it is."""
        return str(self.block.packing.value)


def packed_matrix(block: MatrixBlock, bias: Array, words: Callable[[slice], Array], finish: Array) -> PackedMatrix:
    """Of each two channels, and of the last one if it has no partner: biases, weights (`words` tells those of some
    channels, which change fastest), requantisation ([channels, requant.words])."""
    fews = [slice(c, c + 2) for c in range(0, len(bias), 2)]
    parts = [np.concatenate([bias[few], words(few).reshape(-1), finish[few].reshape(-1)]) for few in fews]
    return PackedMatrix(block, words_of(np.concatenate(parts)), len(bias) % 2 * len(parts[-1]))


def halves(pairs: Array) -> Array:
    """Words of the last axis' two values."""
    low = pairs & 0xFFFF
    return np.asarray(low[..., 0] | low[..., 1] << 16)


def words_of(values: Array) -> Array:
    return (values.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)


def fit(values: Array, bits: int) -> bool:
    """With a sign."""
    most = 1 << (bits - 1)
    return bool(-most <= values.min(initial=0) and values.max(initial=0) < most)
