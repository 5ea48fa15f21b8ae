"""RESHAPE: the same bytes under another shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from ..graph import Array, DType, Node, Op
from .checks import wrong_types


@dataclass(frozen=True, eq=False)
class Reshape(Op):
    """The wanted shape is the output's; a second input that repeats it is ignored."""

    kind = "RESHAPE"
    summary = "the same values under another shape, without code"
    limits = "int8 and uint8"
    short = "reshape"
    arity = (1, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs[:1], node.outputs)

    @property
    def is_view(self) -> bool:
        return True

    def invalid(self) -> Iterator[str]:
        if self.x.elements != self.y.elements or self.x.dtype is not self.y.dtype:
            yield f"{self.x.describe()} can't become {self.y.describe()}"

    def unsupported(self) -> Iterator[str]:
        if not self.x.is_constant:
            yield from wrong_types(self, (self.x, self.y), (DType.INT8, DType.UINT8))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (x.reshape(self.y.shape),)
