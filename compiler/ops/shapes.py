"""SHAPE and PACK: shape arithmetic, folded away when its inputs are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..graph import Array, Node, Op
from .checks import INDEX_TYPES, wrong_shape
from .options import option_int


@dataclass(frozen=True, eq=False)
class Shape(Op):
    """Known at compile time, whatever its input holds."""

    kind = "SHAPE"
    summary = "the shape of a tensor"
    limits = "folded when compiling"
    short = "shape"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, (len(self.x.shape),))
        if self.y.dtype not in INDEX_TYPES:
            yield f"{self.y.name} is {self.y.dtype.value}, not int32 or int64"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (np.array(self.x.shape, self.y.dtype.numpy),)


@dataclass(frozen=True, eq=False)
class Pack(Op):
    """Stacks its inputs along a new axis."""

    axis: int

    kind = "PACK"
    summary = "stacks tensors along a new axis"
    limits = "constants only, folded when compiling"
    short = "pack"
    arity = (1, 64)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_int(node, "axis", 0))

    def invalid(self) -> Iterator[str]:
        sources = [t for t in self.inputs if t is not None]
        if len({t.shape for t in sources}) != 1 or len(sources) != len(self.inputs):
            yield "the inputs of PACK differ in shape"
        elif {t.dtype for t in sources} != {self.y.dtype}:
            yield "the inputs and the output of PACK differ in type"
        elif not -len(self.y.shape) <= self.axis < len(self.y.shape):
            yield f"axis {self.axis} does not exist in {self.y.describe()}"
        else:
            kept = list(self.x.shape)
            kept.insert(self.axis % len(self.y.shape), len(sources))
            yield from wrong_shape(self.y, tuple(kept))

    def unsupported(self) -> Iterator[str]:
        if self.activations:
            yield "PACK of values computed at run time"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (np.stack([v for v in inputs if v is not None], axis=self.axis),)
