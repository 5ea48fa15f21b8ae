"""What resizing operators share: an image's rows and columns at another size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from ..graph import DType, ImageShape, Node, Op
from .checks import integers, mixed_types, not_constant, not_per_tensor, wrong_rank, wrong_shape, wrong_types
from .options import option_bool

LARGEST_IMAGE = 1 << 16  # rows or columns


@dataclass(frozen=True, eq=False)
class ResizeOp(Op):
    """The wanted size is the output's; the constant second input has to agree."""

    align_corners: bool
    half_pixel_centers: bool

    arity = (2, 2)
    types: ClassVar[tuple[DType, ...]] = (DType.INT8, DType.INT16, DType.UINT8)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        align, half = option_bool(node, "align_corners"), option_bool(node, "half_pixel_centers")
        return cls(node.index, node.inputs, node.outputs, align, half)

    @property
    def streams(self) -> bool:
        return True

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
        yield from wrong_types(self, (self.x, self.y), self.types)
        yield from mixed_types(self, (self.x, self.y))
        yield from not_per_tensor((self.x, self.y))
        yield from not_constant((self.inputs[1],), "size")
        yield from wrong_types(self, (self.inputs[1],), (DType.INT32,))
        for tensor in (self.x, self.y):
            if is_huge(tensor.image):
                yield f"{tensor.describe()} has more than {LARGEST_IMAGE} rows or columns"


def is_huge(image: ImageShape) -> bool:
    return max(image.rows, image.columns) > LARGEST_IMAGE
