"""RESHAPE: the same bytes under another shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from ..graph import Array, Node, Op


@dataclass(frozen=True, eq=False)
class Reshape(Op):
    """The wanted shape is the output's; a second input that repeats it is ignored."""

    kind = "RESHAPE"
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

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        return (x.reshape(self.y.shape),)
