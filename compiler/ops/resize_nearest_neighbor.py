"""RESIZE_NEAREST_NEIGHBOR: rows and columns repeated or left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from ..graph import Array, DType, Node, Op, Region, Span
from .checks import integers, not_constant, not_per_tensor, wrong_rank, wrong_shape, wrong_types
from .options import option_bool

LARGEST_IMAGE = 1 << 16  # rows or columns of the input


@dataclass(frozen=True, eq=False)
class ResizeNearestNeighbor(Op):
    """The wanted size is the output's; the constant second input has to agree."""

    align_corners: bool
    half_pixel_centers: bool

    kind = "RESIZE_NEAREST_NEIGHBOR"
    summary = "an image at another size, each pixel that of the nearest"
    limits = "int8; constant size; as TFLM, without rescaling"
    short = "resize"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        align, half = option_bool(node, "align_corners"), option_bool(node, "half_pixel_centers")
        return cls(node.index, node.inputs, node.outputs, align, half)

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

    @property
    def streams(self) -> bool:
        return True

    def window(self, index: int, region: Region) -> Region:
        return Region(_taken(self.rows, region.rows), _taken(self.columns, region.columns))

    def invalid(self) -> Iterator[str]:
        yield from wrong_rank(self.x, 4)
        yield from wrong_rank(self.y, 4)
        if len(self.x.shape) != 4 or len(self.y.shape) != 4:
            return
        size = integers(self.inputs[1])
        if size is not None and size.size != 2:
            yield f"the wanted size has {size.size} values instead of 2"
            return
        wanted = self.y.shape[1:3] if size is None else tuple(int(n) for n in size.reshape(-1))
        yield from wrong_shape(self.y, (self.x.shape[0], *wanted, self.x.shape[3]))

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.y))
        yield from not_constant((self.inputs[1],), "size")
        yield from wrong_types(self, (self.inputs[1],), (DType.INT32,))
        if max(self.x.image.rows, self.x.image.columns) > LARGEST_IMAGE:
            yield f"{self.x.describe()} has more than {LARGEST_IMAGE} rows or columns"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        picked = x.reshape(self.x.image)[self.rows][:, self.columns]
        return (picked.reshape(self.y.shape),)


def _taken(sources: Array, span: Span) -> Span:
    """Sources never fall, so the outermost are enough."""
    return Span(int(sources[span.start]), int(sources[span.stop - 1]) + 1) if span.size else Span(0, 0)
