"""SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: blocks of pixels as images of a batch, and back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import ClassVar, Self

import numpy as np

from ..graph import Array, DType, Node, Op, Tensor
from .checks import INDEX_TYPES, differing_quant, integers, not_constant, wrong_shape, wrong_types
from .pad import Amounts, PadV2
from .strided import Rearrange, unmovable
from .strided_slice import between, index_table, slice_of
from .traversal import Traversal, transposed


@dataclass(frozen=True, eq=False)
class BatchOp(Op):
    """Tensors are [batch, places along one or two axes, channels]."""

    arity = (3, 3)
    types: ClassVar[tuple[DType, ...]] = (DType.INT8, DType.UINT8, DType.INT16, DType.INT32)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @cached_property
    def block(self) -> tuple[int, ...] | None:
        table = integers(self.inputs[1])
        return None if table is None else tuple(table.reshape(-1).tolist())

    @cached_property
    def amounts(self) -> tuple[tuple[int, int], ...] | None:
        """Of each blocked axis, how much is added or cut off before and after."""
        table = integers(self.inputs[2])
        if table is None or table.size % 2:
            return None
        return tuple((int(before), int(after)) for before, after in table.reshape(-1, 2))

    @property
    def is_known(self) -> bool:
        return self.block is not None and self.amounts is not None

    @property
    @abstractmethod
    def expected(self) -> tuple[int, ...] | None:
        """The output's shape; None if block and amounts do not fit the input."""

    def invalid(self) -> Iterator[str]:
        if self.x.dtype is not self.y.dtype:
            yield "input and output differ in type"
        table = integers(self.inputs[2])
        if table is not None and table.size % 2:
            yield f"{self.kind} has an odd number of amounts"
        if self.block is None or self.amounts is None:
            return
        least = min((*self.block, *(1 + min(pair) for pair in self.amounts)), default=0)
        fits = len(self.x.shape) in (3, 4) and len(self.block) == len(self.amounts) == len(self.x.shape) - 2
        expected = self.expected if fits and least >= 1 else None
        if expected is None:
            yield f"blocks {self.block} and amounts {self.amounts} do not fit {self.x.describe()}"
        else:
            yield from wrong_shape(self.y, expected)

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "table")
        yield from wrong_types(self, self.inputs[1:], INDEX_TYPES)
        yield from unmovable(self, (self.x, self.y))
        yield from wrong_types(self, (self.x,), self.types)
        yield from differing_quant(self, (self.x,))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Constants but the first are in the parts."""
        value = inputs[0]
        for op in self.simpler():
            value = op.reference([value, *(None if t is None else t.data for t in op.inputs[1:])])[0]
        assert value is not None
        return (value,)


@dataclass(frozen=True, eq=False)
class SpaceToBatch(BatchOp):
    """TFLM pads int8 with 0 even where the zero point is another; LiteRT pads with the zero point, and it alone
    can run a file whose shapes are those of another batch."""

    pads_zero_point: bool = False

    kind = "SPACE_TO_BATCH_ND"
    summary = "blocks of pixels become images of a batch"
    limits = "constant tables; borders of int8 are 0, as in TFLM; as LiteRT for other types and shapes that it resizes"
    short = "space_to_batch"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        unsigned = bool(node.outputs) and node.outputs[0].dtype is DType.UINT8
        return cls(node.index, node.inputs, node.outputs, unsigned or node.resized)

    @property
    def value(self) -> int:
        """Of the border."""
        return self.y.zero_point if self.pads_zero_point else 0

    @property
    def padded(self) -> tuple[int, ...]:
        assert self.amounts is not None
        inner = zip(self.x.shape[1:-1], self.amounts, strict=True)
        return (self.x.shape[0], *(n + before + after for n, (before, after) in inner), self.x.shape[-1])

    @property
    def expected(self) -> tuple[int, ...] | None:
        assert self.block is not None
        batch, *sizes, channels = self.padded
        if any(n % b for n, b in zip(sizes, self.block, strict=True)):
            return None
        return (batch * prod(self.block), *(n // b for n, b in zip(sizes, self.block, strict=True)), channels)

    @property
    def walk(self) -> Traversal:
        assert self.block is not None
        batch, *sizes, channels = self.padded
        shape, axes = [batch], len(self.block)
        for n, b in zip(sizes, self.block, strict=True):
            shape += [n // b, b]
        inner, outer = (range(first, 2 * axes + 1, 2) for first in (2, 1))
        return transposed((*shape, channels), (*inner, 0, *outer, 2 * axes + 1))

    def simpler(self) -> tuple[Op, ...]:
        assert self.amounts is not None
        if not any(map(any, self.amounts)):
            return (Rearrange(self.index, (self.x,), self.outputs, self.walk),)
        bordered = replace(between(self.y, "bordered", self.padded), quant=self.x.quant)
        return self._bordered(bordered), Rearrange(self.index, (bordered,), self.outputs, self.walk)

    def _bordered(self, y: Tensor) -> Op:
        assert self.amounts is not None
        return filled_pad(self.index, self.x, y, ((0, 0), *self.amounts, (0, 0)), self.value)


def filled_pad(index: int, x: Tensor, y: Tensor, amounts: Amounts, value: int) -> PadV2:
    """A border of one value around x."""
    table = index_table(f"{y.name}:amounts", tuple(n for pair in amounts for n in pair))
    filler = replace(y, name=f"{y.name}:value", shape=(1,), data=np.array([value], y.dtype.numpy))
    return PadV2(index, (x, table, filler), (y,), amounts)


@dataclass(frozen=True, eq=False)
class BatchToSpace(BatchOp):
    """What belongs to no pixel of the wanted image is cropped."""

    kind = "BATCH_TO_SPACE_ND"
    summary = "images of a batch become blocks of pixels"
    limits = "constant tables; as LiteRT for types that TFLM refuses"
    short = "batch_to_space"

    @property
    def uncropped(self) -> tuple[int, ...]:
        assert self.block is not None
        batch, *sizes, channels = self.x.shape
        return (batch // prod(self.block), *(n * b for n, b in zip(sizes, self.block, strict=True)), channels)

    @property
    def expected(self) -> tuple[int, ...] | None:
        assert self.block is not None and self.amounts is not None
        batch, *sizes, channels = self.uncropped
        kept = [n - before - after for n, (before, after) in zip(sizes, self.amounts, strict=True)]
        return None if self.x.shape[0] % prod(self.block) or min(kept) < 1 else (batch, *kept, channels)

    @property
    def walk(self) -> Traversal:
        assert self.block is not None
        axes = len(self.block)
        shape = (*self.block, self.uncropped[0], *self.x.shape[1:])
        pairs = (axis for i in range(axes) for axis in (axes + 1 + i, i))
        return transposed(shape, (axes, *pairs, 2 * axes + 1))

    def simpler(self) -> tuple[Op, ...]:
        assert self.amounts is not None
        if not any(map(any, self.amounts)):
            return (Rearrange(self.index, (self.x,), self.outputs, self.walk),)
        whole = between(self.y, "uncropped", self.uncropped)
        begin = (0, *(before for before, _ in self.amounts), 0)
        crop = slice_of(self.index, whole, self.y, begin, self.y.shape)
        return Rearrange(self.index, (self.x,), (whole,), self.walk), crop
