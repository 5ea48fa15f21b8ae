"""Several operators one after the other, as borders of a network have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ..errors import InternalError
from ..graph import Array, Border, Node, Op
from .real import RealOp


@dataclass(frozen=True, eq=False)
class Chain(Op):
    """Each has one input and one output."""

    parts: tuple[Op, ...]

    kind = "CHAIN"
    summary = "several operators one after the other"
    limits = ""
    short = "chain"
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        raise InternalError(f"op {node.index}: no file has chains")

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        (value,) = inputs
        for part in self.parts:
            (value,) = part.evaluate([value], {})
        assert value is not None
        return (value,)


def left_to_caller(border: Border) -> tuple[str, ...]:
    """What the file computes in real numbers behind an output; no code is generated for it."""
    parts = border.op.parts if isinstance(border.op, Chain) else ()
    return tuple(part.kind for part in parts if isinstance(part, RealOp))
