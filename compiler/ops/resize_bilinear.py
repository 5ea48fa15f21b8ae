"""RESIZE_BILINEAR: each pixel is a weighted mean of two by two, in TFLite's fixed point of 10 bits for each axis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from ..arith import truncated_divide
from ..graph import Array, DType, Node, Region, Rounding, Span
from .options import option_bool
from .resize import ResizeOp, is_huge

BITS = 10
ONE = 1 << BITS
HALF = 1 << (2 * BITS - 1)  # of a product of two weights
REAL_STEP = ONE >> 8  # of weights that a product of two and a value fit float32


class Taps(NamedTuple):
    """Of each row or column of the output, the first of the input, and the weight of the one after it in 1/1024."""

    first: Array
    weight: Array

    def after(self) -> Array:
        """What is not needed is not read."""
        return np.asarray(self.first + (self.weight > 0))


@dataclass(frozen=True, eq=False)
class ResizeBilinear(ResizeOp):
    """Legacy uint8 is computed in float32, ties up: that is the same wherever its weights have few bits."""

    real: bool = False
    rounding: Rounding = Rounding.DOUBLE

    kind = "RESIZE_BILINEAR"
    summary = "an image at another size, with pixels interpolated between the nearest"
    limits = "int16 as LiteRT, uint8 as LiteRT at simple ratios; constant size; as TFLite, without rescaling"
    short = "bilinear"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        align, half = option_bool(node, "align_corners"), option_bool(node, "half_pixel_centers")
        return cls(node.index, node.inputs, node.outputs, align, half, node.outputs[0].dtype is DType.UINT8)

    @property
    def ties_up(self) -> bool:
        """Or else away from zero, as TFLite does where it rounds twice elsewhere."""
        return self.real or self.rounding is Rounding.SINGLE

    @cached_property
    def rows(self) -> Taps:
        """Images of a batch follow each other."""
        taps, batch = self._taps(self.x.shape[1], self.y.shape[1]), self.x.shape[0]
        images = np.arange(batch)[:, None] * self.x.shape[1]
        return Taps((images + taps.first).reshape(-1), np.tile(taps.weight, batch))

    @cached_property
    def columns(self) -> Taps:
        return self._taps(self.x.shape[2], self.y.shape[2])

    def _taps(self, size: int, wanted: int) -> Taps:
        places = self._real_places(size, wanted) if self.real else self._places(size, wanted)
        first = np.maximum(places >> BITS, 0)
        return Taps(first, np.where((places < 0) | (first >= size - 1), 0, places - first * ONE))

    def _places(self, size: int, wanted: int) -> Array:
        """In 1/1024 of a row or column."""
        intervals, steps = (size - 1, wanted - 1) if self.align_corners and wanted > 1 else (size, wanted)
        step = (intervals * ONE + steps // 2) // steps
        shift = step // 2 - ONE // 2 if self.half_pixel_centers else 0
        return np.asarray(np.arange(wanted, dtype=np.int64) * step + shift)

    def _real_places(self, size: int, wanted: int) -> Array:
        """The same from float32; what more bits there are `unsupported` finds."""
        return np.asarray(np.floor(self._real(size, wanted) * ONE).astype(np.int64))

    def _real(self, size: int, wanted: int) -> Array:
        stretch = self.align_corners and wanted > 1
        scale = np.float32(size - 1) / np.float32(wanted - 1) if stretch else np.float32(size) / np.float32(wanted)
        half = np.float32(0.5 * self.half_pixel_centers)
        places = (np.arange(wanted, dtype=np.float32) + half) * scale - half
        return np.asarray(places.astype(np.float64))

    def window(self, index: int, region: Region) -> Region:
        return Region(_seen(self.rows, region.rows), _seen(self.columns, region.columns))

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.align_corners and self.half_pixel_centers:
            yield "align_corners together with half_pixel_centers, which TFLite refuses"
        if len(self.x.shape) == len(self.y.shape) == 4 and not is_huge(self.x.image) and not is_huge(self.y.image):
            yield from self._odd_sizes()

    def _odd_sizes(self) -> Iterator[str]:
        sizes = tuple(zip(self.x.shape[1:3], self.y.shape[1:3], strict=True))
        if any(n > 0 and self._taps(size, n).first.max() >= size for size, n in sizes):
            yield f"{self.y.describe()}: at this size TFLite reads beyond the end of {self.x.name}"
        elif self.real and any((self._real(*pair) * ONE % REAL_STEP).any() for pair in sizes):
            yield f"{self.x.describe()} to {self.y.describe()}: uint8 takes ratios whose weights are multiples of 1/256"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        image = x.reshape(self.x.image).astype(np.int64)
        lower, weight = self.rows.weight[:, None, None], self.columns.weight[None, :, None]
        tall = image[self.rows.first] * (ONE - lower) + image[self.rows.after()] * lower
        mixed = tall[:, self.columns.first] * (ONE - weight) + tall[:, self.columns.after()] * weight
        return (self._rounded(mixed).reshape(self.y.shape).astype(self.y.dtype.numpy),)

    def _rounded(self, value: Array) -> Array:
        if self.ties_up:
            return np.asarray((value + HALF) >> (2 * BITS))
        return truncated_divide(value + np.where(value > 0, HALF, -HALF), 1 << (2 * BITS))


def _seen(taps: Taps, span: Span) -> Span:
    """Places never fall, so the outermost are enough."""
    if not span.size:
        return Span(0, 0)
    return Span(int(taps.first[span.start]), int(taps.after()[span.stop - 1]) + 1)
