"""RESIZE_NEAREST_NEIGHBOR: rows and columns repeated or left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..graph import Array, Region, Span
from .resize import ResizeOp


@dataclass(frozen=True, eq=False)
class ResizeNearestNeighbor(ResizeOp):
    kind = "RESIZE_NEAREST_NEIGHBOR"
    summary = "an image at another size, each pixel that of the nearest"
    limits = "constant size; as TFLM, without rescaling"
    short = "resize"

    @cached_property
    def rows(self) -> Array:
        """Of each row of the output, the row of the input; images of a batch follow each other."""
        inside = self._sources(self.x.shape[1], self.y.shape[1])
        images = np.arange(self.x.shape[0])[:, None] * self.x.shape[1]
        return np.asarray((images + inside).reshape(-1))

    @cached_property
    def columns(self) -> Array:
        return self._sources(self.x.shape[2], self.y.shape[2])

    def _sources(self, size: int, wanted: int) -> Array:
        """In float32, as TFLM does, with what that rounds wrongly."""
        stretch = self.align_corners and wanted > 1
        scale = np.float32(size - 1) / np.float32(wanted - 1) if stretch else np.float32(size) / np.float32(wanted)
        places = (np.arange(wanted, dtype=np.float32) + np.float32(0.5 * self.half_pixel_centers)) * scale
        whole = np.floor(places)
        rounded = whole + (places - whole >= 0.5) if self.align_corners else whole
        return np.asarray(np.minimum(rounded.astype(np.int64), size - 1))

    def window(self, index: int, region: Region) -> Region:
        return Region(_taken(self.rows, region.rows), _taken(self.columns, region.columns))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        picked = x.reshape(self.x.image)[self.rows][:, self.columns]
        return (picked.reshape(self.y.shape),)


def _taken(sources: Array, span: Span) -> Span:
    """Sources never fall, so the outermost are enough."""
    return Span(int(sources[span.start]), int(sources[span.stop - 1]) + 1) if span.size else Span(0, 0)
