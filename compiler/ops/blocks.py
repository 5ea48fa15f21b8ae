"""SPACE_TO_DEPTH and DEPTH_TO_SPACE: square blocks of pixels become channels of one, and back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from ..graph import DType, Node, Tensor
from .checks import wrong_rank, wrong_shape
from .options import option_int
from .strided import StridedOp
from .traversal import Traversal, transposed


@dataclass(frozen=True, eq=False)
class BlockOp(StridedOp):
    """Both see the larger image as [batch, rows, block, columns, block, channels]."""

    block: int

    arity = (1, 1)
    limits = "as TFLM, without rescaling; as LiteRT for types that TFLM refuses"
    types = (DType.INT8, DType.UINT8, DType.INT32, DType.INT64)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_int(node, "block_size", 0))

    @property
    @abstractmethod
    def sides(self) -> tuple[Tensor, Tensor]:
        """The tensor with the pixels, and that with the blocks."""

    def invalid(self) -> Iterator[str]:
        pixels, blocks = self.sides
        yield from (*wrong_rank(pixels, 4), *wrong_rank(blocks, 4))
        if len(pixels.shape) != 4 or len(blocks.shape) != 4:
            return
        if self.block < 1:
            yield f"blocks of {self.block}"
        elif self.x.dtype is not self.y.dtype:
            yield "input and output differ in type"
        else:
            batch, rows, columns, channels = blocks.shape
            across = (rows * self.block, columns * self.block)
            if channels % self.block**2:
                yield f"{blocks.describe()} has no channels for blocks of {self.block}"
            yield from wrong_shape(pixels, (batch, *across, channels // self.block**2))


@dataclass(frozen=True, eq=False)
class SpaceToDepth(BlockOp):
    """Blocks of pixels become channels."""

    kind = "SPACE_TO_DEPTH"
    summary = "square blocks of pixels become channels of one pixel"
    short = "space_to_depth"

    @property
    def sides(self) -> tuple[Tensor, Tensor]:
        return self.x, self.y

    @cached_property
    def traversal(self) -> Traversal:
        batch, rows, columns, channels = self.x.shape
        b = self.block
        return transposed((batch, rows // b, b, columns // b, b, channels), (0, 1, 3, 2, 4, 5))


@dataclass(frozen=True, eq=False)
class DepthToSpace(BlockOp):
    """Channels become blocks of pixels."""

    kind = "DEPTH_TO_SPACE"
    summary = "channels become square blocks of pixels"
    short = "depth_to_space"

    @property
    def sides(self) -> tuple[Tensor, Tensor]:
        return self.y, self.x

    @cached_property
    def traversal(self) -> Traversal:
        batch, rows, columns, channels = self.x.shape
        b = self.block
        return transposed((batch, rows, columns, b, b, channels // b**2), (0, 1, 3, 2, 4, 5))
