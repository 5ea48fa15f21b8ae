"""What four output pixels see, and in which order it becomes operands of a product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ...graph import Array
from . import isa
from .operands import GROUP, Operands

PIXELS = 4
ADDRESS_BYTES = 4

Place: TypeAlias = tuple[int, int]  # segment, byte


@dataclass(frozen=True)
class Window:
    """What each pixel sees: so many segments, one for each row of the kernel.

    First come the whole words of every segment, then the bytes that are left over of all segments, four to a word.
    A segment may consist of taps, as many pixels of whole words; then the first words of all taps come first.
    """

    segments: int
    segment: int  # bytes of each
    taps: int = 1  # of each

    @property
    def words(self) -> int:
        """Whole ones of each segment."""
        return self.segment // GROUP

    @property
    def steps(self) -> int:
        """Of each segment: a word of every tap."""
        return self.words // self.taps

    @property
    def tap(self) -> int:
        """Bytes from tap to tap."""
        return self.segment // self.taps

    @property
    def starts(self) -> tuple[int, ...]:
        """Of the words of a segment, in their order."""
        return tuple(tap * self.tap + step * GROUP for step in range(self.steps) for tap in range(self.taps))

    @property
    def tails(self) -> tuple[tuple[Place, ...], ...]:
        """The bytes left over, four to a word."""
        left = [(s, byte) for s in range(self.segments) for byte in range(self.words * GROUP, self.segment)]
        return tuple(tuple(left[i : i + GROUP]) for i in range(0, len(left), GROUP))

    @property
    def groups(self) -> int:
        return self.segments * self.words + len(self.tails)

    def ordered(self, weights: Array) -> Array:
        """[channels, segments * segment] to [channels, 4 * groups]: 0 for what only fills the last word."""
        whole = [(s, start + i) for s in range(self.segments) for start in self.starts for i in range(GROUP)]
        places = [*whole, *(place for tail in self.tails for place in tail)]
        found = np.zeros((len(weights), GROUP * self.groups), weights.dtype)
        found[:, : len(places)] = weights[:, [s * self.segment + byte for s, byte in places]]
        return found


@dataclass(frozen=True)
class Expansion:
    """What a routine is generated for."""

    window: Window
    operands: Operands
    pitch: int  # bytes from pixel to pixel; 0: they may lie anywhere

    @property
    def stem(self) -> str:
        where = f"p{self.pitch}" if self.pitch else "any"
        taps = f"t{self.window.taps}" if self.window.taps > 1 else ""
        return f"te_expand_{self.operands.value}_{self.window.segments}x{self.window.segment}{taps}_{where}"

    @property
    def address_bytes(self) -> int:
        """Of one segment in the table of addresses."""
        return ADDRESS_BYTES * (1 if self.pitch else PIXELS)


def in_reach(window: Window, pitch: int) -> bool:
    """Can all bytes of four pixels be addressed from the first of them?"""
    return (PIXELS - 1) * pitch + window.segment <= isa.LARGEST_OFFSET
