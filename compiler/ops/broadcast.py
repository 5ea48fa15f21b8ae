"""What operators of two tensors that broadcast share: ADD, MUL, MAXIMUM... and their fused activation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Self

import numpy as np

from ..arith import saturate, wrap32
from ..graph import Array, Clamp, DType, ImageShape, Node, Op, Region, Rounding, Span, Tensor
from .checks import QUANTISED, WrongShape, wrong_types
from .elementwise import differing_types, have_quant
from .options import fused_clamp

MOST_DIMENSIONS = 6


def repeated(source: Tensor, y: Tensor, region: Region) -> Region:
    """What a region of the output needs of an operand, which may repeat along rows or columns."""
    rows = region.rows if source.image.rows == y.image.rows else Span(0, source.image.rows)
    columns = region.columns if source.image.columns == y.image.columns else Span(0, source.image.columns)
    return Region(rows, columns)


def image_shape(tensor: Tensor, y: Tensor) -> ImageShape | None:
    """How it repeats over y's image: each size is 1 or y's. None if that does not tell all."""
    rank = max(len(y.shape), 3)
    shape, full = ((1,) * (rank - len(t.shape)) + t.shape for t in (tensor, y))
    before = prod(shape[:-2])
    if before not in (1, prod(full[:-2])):
        return None
    if len(y.shape) < 3 and tensor.elements not in (1, y.elements):
        return None
    image = ImageShape(before, *shape[-2:]) if len(y.shape) >= 3 else ImageShape(1, 1, tensor.elements)
    return image if tensor.is_constant or image == tensor.image else None


@dataclass(frozen=True, eq=False)
class PairOp(Op):
    """Each value of the output is made of one value of each operand."""

    arity = (2, 2)
    result: ClassVar[str]  # what messages call the output

    @property
    def b(self) -> Tensor:
        return self.required(1)

    @property
    def operands(self) -> tuple[Tensor, Tensor]:
        return self.x, self.b

    @property
    def streams(self) -> bool:
        return True

    @property
    def broadcasts(self) -> bool:
        return self.x.shape != self.y.shape or self.b.shape != self.y.shape

    def window(self, index: int, region: Region) -> Region:
        source = self.inputs[index]
        assert source is not None
        return repeated(source, self.y, region)

    def invalid(self) -> Iterator[str]:
        try:
            shape = np.broadcast_shapes(self.x.shape, self.b.shape)
        except ValueError:
            yield f"{self.x.describe()} and {self.b.describe()} do not broadcast"
            return
        if shape != self.y.shape:
            text = f"{self.y.describe()} is not the {self.result} of {self.x.describe()} and {self.b.describe()}"
            yield WrongShape.of(self.y, shape, text)

    def unsupported(self) -> Iterator[str]:
        if self.broadcasts and len(self.y.shape) > MOST_DIMENSIONS:
            yield f"{self.y.describe()} has more than {MOST_DIMENSIONS} dimensions to repeat along"


@dataclass(frozen=True, eq=False)
class BroadcastOp(PairOp):
    """On quantised values; on integer constants as well, which shape arithmetic is made of."""

    clamp: Clamp
    rounding: Rounding
    single: bool = False  # ratios of scales in single precision, as LiteRT has some for uint8

    types: ClassVar[tuple[DType, ...]] = QUANTISED
    folded: ClassVar[tuple[DType, ...]] = (DType.INT32,)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        single = node.outputs[0].dtype is DType.UINT8
        return cls(node.index, node.inputs, node.outputs, fused_clamp(node), Rounding.DOUBLE, single)

    @property
    def folds(self) -> bool:
        """Is this about integers without a scale, which are computed at once?"""
        return not self.activations and self.x.dtype in self.folded

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        tensors = (*self.operands, self.y)
        if self.folds:
            yield from wrong_types(self, tensors, (self.x.dtype,))
            return
        yield from differing_types(self, tensors, self.types)
        if have_quant(*tensors):
            yield from self.unsupported_scales()

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        a, b = (np.asarray(v, np.int64) for v in inputs)
        if self.y.dtype in QUANTISED:
            return (saturate(self.scaled(a, b) + self.y.zero_point, self.clamp, self.y.dtype),)
        value = self.exact(a, b)
        return (saturate(wrap32(value) if self.y.dtype is DType.INT32 else value, self.clamp, self.y.dtype),)

    def unsupported_scales(self) -> Iterator[str]:
        """Factors that fixed point can't hold."""
        return iter(())

    @abstractmethod
    def scaled(self, a: Array, b: Array) -> Array:
        """The result in steps of the output's scale, zero point not yet added."""

    @abstractmethod
    def exact(self, a: Array, b: Array) -> Array:
        """The result for integers without a scale."""
