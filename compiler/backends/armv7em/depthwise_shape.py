"""Depthwise convolution on planes: what the routines are generated for, and where everything lies.

Four channels at a time are copied into planes of pixel pairs, row after row:

    plane row     | channel 0: left border, pixels, right border | channel 1 ... | channel 2 ... | channel 3 ... |

A word holds two neighbouring pixels, the first of them in an even column. The left border is made even, too, so
that image and words start together; the window of the first output then begins in column 0 or 1, `start`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...ops.geometry import Pair
from .requant import Requant

TOGETHER = 4  # channels of a group: what one word of the input holds
FIELD = 21  # bits of a polynomial's coefficient


@dataclass(frozen=True)
class Window:
    """A kernel without the rows and columns of taps that only ever meet the border."""

    first: Pair  # of the kernel's taps that is left
    kernel: Pair
    before: Pair  # rows and columns of the border above and left

    @property
    def is_empty(self) -> bool:
        return min(self.kernel) < 1


def window(op: DepthwiseConv2D) -> Window:
    x, y, pad = op.x.image, op.y.image, op.padding
    rows = _seen(op.kernel.rows, pad.top, (y.rows - 1) * op.stride.rows, x.rows)
    columns = _seen(op.kernel.columns, pad.left, (y.columns - 1) * op.stride.columns, x.columns)
    first, last = Pair(rows[0], columns[0]), Pair(rows[1], columns[1])
    kernel = Pair(last.rows - first.rows, last.columns - first.columns)
    return Window(first, kernel, Pair(pad.top - first.rows, pad.left - first.columns))


def _seen(taps: int, before: int, farthest: int, size: int) -> tuple[int, int]:
    """Taps that reach the image from any output, the last of which begins `farthest` behind the first."""
    return max(0, before - farthest), min(taps, before + size)


@dataclass(frozen=True)
class Planes:
    """Where the pixels of one plane row lie."""

    left: int  # columns of the left border, even
    start: int  # column where the first output's window begins: 0 or 1
    filled: int  # columns of the image
    words: int  # of one channel

    @property
    def channel_bytes(self) -> int:
        return 4 * self.words

    @property
    def row_bytes(self) -> int:
        return TOGETHER * self.channel_bytes


def planes(op: DepthwiseConv2D, seen: Window) -> Planes:
    start = seen.before.columns % 2
    left = seen.before.columns + start
    last = start + (op.y.image.columns - 1) * op.stride.columns + seen.kernel.columns
    filled = min(op.x.image.columns, last - left)
    words = -(-max(last, left + filled) // 2)
    return Planes(left, start, filled, words)


@dataclass(frozen=True)
class Sums:
    """What a routine that convolves planes is generated for."""

    kernel: Pair
    stride: Pair
    start: int
    columns: int  # of the output
    words: int  # of one channel's row
    pixel_bytes: int  # of the output
    requant: Requant

    @property
    def channel_bytes(self) -> int:
        return 4 * self.words

    @property
    def row_bytes(self) -> int:
        return TOGETHER * self.channel_bytes

    @cached_property
    def both(self) -> bool:
        """Do windows begin in even columns and in odd ones?"""
        return self.stride.columns % 2 == 1 and self.columns > 1

    @property
    def row_words(self) -> int:
        """Weight words of one row of taps, as pairs."""
        taps = self.kernel.columns
        return max(1, taps - 1) if self.both else (self.start + taps + 1) // 2

    @property
    def poly_words(self) -> int:
        return (self.start + self.kernel.columns + 1) // 2

    @property
    def stem(self) -> str:
        kernel, stride = f"{self.kernel.rows}x{self.kernel.columns}", f"{self.stride.rows}x{self.stride.columns}"
        return f"k{kernel}_s{stride}_w{self.columns}_c{self.pixel_bytes}_{self.requant.stem}"
