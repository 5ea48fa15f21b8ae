"""Sliding windows: what convolutions and pools share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..errors import InvalidInput
from ..graph import Array, Node, Op, Padding, Region, Span, Tensor
from .checks import wrong_rank, wrong_shape
from .options import option_int, option_str

MOST_VALUES = 1 << 28  # that all windows of an operator see together


class Pair(NamedTuple):
    """A value for rows and one for columns."""

    rows: int
    columns: int


@dataclass(frozen=True, eq=False)
class WindowedOp(Op):
    """An operator whose output pixel sees a rectangle of input pixels."""

    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: Padding

    @property
    def streams(self) -> bool:
        return True

    @cached_property
    def extent(self) -> Pair:
        """Rows and columns from the first tap to the last, holes included."""
        return Pair(*((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True)))

    def window(self, index: int, region: Region) -> Region:
        source = self.x.image
        rows = _taps(region.rows, self.stride.rows, self.padding.top, self.extent.rows, source.rows)
        columns = _taps(region.columns, self.stride.columns, self.padding.left, self.extent.columns, source.columns)
        return Region(rows, columns)

    def output_size(self) -> Pair:
        (rows, columns), pad = image_size(self.x), self.padding
        rows = (rows + pad.top + pad.bottom - self.extent.rows) // self.stride.rows + 1
        columns = (columns + pad.left + pad.right - self.extent.columns) // self.stride.columns + 1
        return Pair(rows, columns)

    def invalid_window(self, channels: int) -> Iterator[str]:
        """Shapes or steps that cannot be; the caller states how many channels come out."""
        if min(*self.kernel, *self.stride, *self.dilation) < 1:
            yield "kernel, stride and dilation must be positive"
            return
        yield from wrong_rank(self.x, 4)
        yield from wrong_rank(self.y, 4)
        if len(self.x.shape) == 4:
            yield from wrong_shape(self.y, (self.x.shape[0], *self.output_size(), channels))

    def unsupported_window(self) -> Iterator[str]:
        """Windows so far out of proportion that the reference could not hold what they see."""
        image, pad = self.x.image, self.padding
        padded = (image.rows + pad.top + pad.bottom) * (image.columns + pad.left + pad.right) * image.channels
        seen = (
            self.y.elements // max(1, self.y.image.channels) * self.kernel.rows * self.kernel.columns * image.channels
        )
        if max(padded, seen) > MOST_VALUES:
            yield f"a window of {self.extent.rows} x {self.extent.columns} on {self.x.describe()}"

    def patches(self, x: Array, fill: int) -> Array:
        """View of [rows, columns, channels] as [out rows, out columns, taps down, taps across, channels]."""
        pad = self.padding
        padded = np.pad(x, ((pad.top, pad.bottom), (pad.left, pad.right), (0, 0)), constant_values=fill)
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.extent, axis=(0, 1))
        strided = windows[
            :: self.stride.rows, :: self.stride.columns, :, :: self.dilation.rows, :: self.dilation.columns
        ]
        return np.asarray(strided.transpose(0, 1, 3, 4, 2))

    def batch_patches(self, x: Array, fill: int) -> Array:
        """The same of several images, one below the other: TensorFlow writes dilation as a batch of images."""
        found = [self.patches(image, fill) for image in x]
        return found[0] if len(found) == 1 else np.concatenate(found)


def image_size(tensor: Tensor) -> Pair:
    """Of each image of a batch."""
    return Pair(*tensor.shape[1:3]) if len(tensor.shape) == 4 else Pair(*tensor.image[:2])


def same_padding(size: int, out: int, stride: int, extent: int) -> tuple[int, int]:
    """TensorFlow's SAME: the odd pixel goes to the end."""
    total = max(0, (out - 1) * stride + extent - size)
    return total // 2, total - total // 2


def window_options(node: Node, kernel: Pair) -> tuple[Pair, Pair, Padding]:
    """Stride, dilation and explicit padding from a file's options."""
    stride = Pair(option_int(node, "stride_h", 1), option_int(node, "stride_w", 1))
    dilation = Pair(option_int(node, "dilation_h_factor", 1), option_int(node, "dilation_w_factor", 1))
    x, name = node.inputs[0], option_str(node, "padding", "SAME")
    if name not in ("SAME", "VALID"):
        raise InvalidInput(f"op {node.index} {node.kind} has padding {name}", "the file is damaged: export it again")
    if name == "VALID" or x is None or min(*stride, *kernel, *dilation) < 1:
        return stride, dilation, Padding()
    pads = [
        same_padding(n, -(-n // s), s, (k - 1) * d + 1)
        for n, s, k, d in zip(image_size(x), stride, kernel, dilation, strict=True)
    ]
    return stride, dilation, Padding(*pads[0], *pads[1])


def _taps(span: Span, stride: int, before: int, extent: int, size: int) -> Span:
    start = span.start * stride - before
    stop = (span.stop - 1) * stride - before + extent
    return Span(min(max(start, 0), size), min(max(stop, 0), size))
