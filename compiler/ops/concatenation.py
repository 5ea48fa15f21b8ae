"""CONCATENATION: tensors one after the other along an axis, copied byte for byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate
from math import prod
from typing import ClassVar, Self

import numpy as np

from ..graph import Array, DType, Node, Op, Region, Span, Tensor
from .checks import differing_quant, not_per_tensor, wrong_shape
from .options import option_int
from .strided import MOVED, unmovable

MOST_INPUTS = 16  # at run time; TFLM takes 10


class Along(Enum):
    """What of the image grows; None of the three: parts of the inputs alternate."""

    ROWS = "rows"
    COLUMNS = "columns"
    CHANNELS = "channels"


@dataclass(frozen=True, eq=False)
class Concatenation(Op):
    """`axis` counts from the front."""

    axis: int
    activation: str

    kind = "CONCATENATION"
    summary = "tensors one after the other along any axis"
    limits = f"at most {MOST_INPUTS} inputs, all of 8 bits quantised alike; any constants, folded when compiling"
    short = "concat"
    types: ClassVar[tuple[DType, ...]] = MOVED
    arity = (1, 64)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        axis = option_int(node, "axis", 0)
        activation = str(node.options.get("fused_activation_function", "NONE"))
        rank = len(node.outputs[0].shape)
        return cls(node.index, node.inputs, node.outputs, axis + rank if axis < 0 else axis, activation)

    @property
    def parts(self) -> tuple[Tensor, ...]:
        return tuple(t for t in self.inputs if t is not None)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the inputs along the axis."""
        return tuple(t.shape[self.axis] for t in self.parts)

    @property
    def starts(self) -> tuple[int, ...]:
        """Where in the output each input begins, along the axis."""
        return tuple(accumulate(self.sizes[:-1], initial=0))

    @property
    def along(self) -> Along | None:
        rank, alone = len(self.y.shape), prod(self.y.shape[: self.axis]) == 1
        if rank >= 3 and self.axis >= rank - 2:
            return Along.COLUMNS if self.axis == rank - 2 else Along.CHANNELS
        if not alone:
            return None
        return Along.ROWS if rank >= 3 else Along.CHANNELS

    @property
    def streams(self) -> bool:
        return self.along is not None

    def window(self, index: int, region: Region) -> Region:
        """Empty where the region lies beside this input."""
        start = self.starts[index]
        image = self.parts[index].image
        if self.along is Along.CHANNELS:
            return region
        if self.along is Along.COLUMNS:
            return Region(region.rows, _inside(region.columns, start, image.columns))
        if self.along is Along.ROWS:
            scale = prod(self.y.shape[self.axis + 1 : -2])  # rows of the image for each step of the axis
            return Region(_inside(region.rows, start * scale, image.rows), region.columns)
        return self.parts[index].whole

    @property
    def _fit_each_other(self) -> bool:
        first = self.parts[0]
        alike = all(alike_but_along(t, first, self.axis) for t in self.parts)
        return alike and len(first.shape) == len(self.y.shape)

    def invalid(self) -> Iterator[str]:
        y = self.y
        if len(self.parts) != len(self.inputs):
            yield "an input is missing"
        elif not 0 <= self.axis < len(y.shape):
            yield f"axis {self.axis} does not exist in {y.describe()}"
        elif {t.dtype for t in self.parts} != {y.dtype}:
            yield "the inputs and the output differ in type"
        elif not self._fit_each_other:
            yield f"the inputs do not fit {y.describe()} along axis {self.axis}"
        else:
            shape = self.parts[0].shape
            yield from wrong_shape(y, (*shape[: self.axis], sum(self.sizes), *shape[self.axis + 1 :]))

    def unsupported(self) -> Iterator[str]:
        """TFLM refuses the same, but for the number of inputs; LiteRT rescales uint8, we do not."""
        tensors = (*self.parts, self.y)
        if self.activation != "NONE":
            yield f"fused activation {self.activation}"
        yield from unmovable(self, tensors)
        if self.y.dtype in (DType.INT8, DType.UINT8):
            yield from not_per_tensor(tensors)
            yield from differing_quant(self, self.parts)
        if self.activations and len(self.parts) > MOST_INPUTS:
            yield f"{len(self.parts)} inputs; at most {MOST_INPUTS} are possible"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (np.concatenate([v for v in inputs if v is not None], axis=self.axis),)


def alike_but_along(a: Tensor, b: Tensor, axis: int) -> bool:
    """Do shapes differ in nothing but the size of this axis?"""
    rest = (t.shape[:axis] + t.shape[axis + 1 :] for t in (a, b))
    return len(a.shape) == len(b.shape) and len(set(rest)) == 1


def _inside(span: Span, start: int, size: int) -> Span:
    """The part of a span that an input holds, in its own count."""
    return Span(min(max(span.start - start, 0), size), min(max(span.stop - start, 0), size))
