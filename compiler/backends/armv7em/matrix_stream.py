"""Weight streams of the blocks of matrix_block.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from ...graph import Array
from .matrix_block import MatrixBlock


@dataclass(frozen=True, eq=False)
class PackedMatrix:
    """One operator's weights as kernels multiply them, and how its accumulators are requantised."""

    block: MatrixBlock  # that takes two channels of four pixels
    pairs: Array  # words of all channels that have a partner
    last: Array  # of the one that has none

    @cached_property
    def stream(self) -> Array:
        shape = np.array(self.block.shape_words, np.uint32)
        return np.concatenate([part for words in (self.pairs, self.last) if len(words) for part in (shape, words)])

    @property
    def last_words(self) -> int:
        """Of the stream."""
        return len(self.last) and len(self.block.shape_words) + len(self.last)

    def with_shared_block(self) -> Self:
        return replace(self, block=replace(self.block, shared=True))

    @property
    def spec(self) -> str:
        """Which packing it is."""
        return str(self.block.packing.value)


def packed_matrix(block: MatrixBlock, bias: Array, words: Callable[[slice], Array], finish: Array) -> PackedMatrix:
    """Of each two channels, and of the last one if it has no partner: biases, weights (`words` tells those of some
    channels, which change fastest), requantisation ([channels, requant.words])."""
    fews = [slice(c, c + 2) for c in range(0, len(bias), 2)]
    parts = [np.concatenate([bias[few], words(few).reshape(-1), finish[few].reshape(-1)]) for few in fews]
    pairs = np.concatenate(parts[: len(bias) // 2] or [np.zeros(0)])
    return PackedMatrix(block, words_of(pairs), words_of(parts[-1] if len(bias) % 2 else np.zeros(0)))


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
