"""What several operators together make of one byte. Passes compose it; no file has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..errors import InternalError
from ..graph import Array, Node
from .elementwise import ElementwiseOp


@dataclass(frozen=True, eq=False)
class Table(ElementwiseOp):
    """`values` are those of the smallest input, the next one, ...; `stands_for` names the operators it replaces."""

    values: tuple[int, ...]
    stands_for: tuple[str, ...]

    kind = "TABLE"
    summary = "any function of one byte"
    limits = "8-bit values"
    short = "table"

    @classmethod
    def from_options(cls, node: Node) -> Self:
        raise InternalError(f"op {node.index}: no file has tables")

    @property
    def title(self) -> str:
        return f"{' '.join(self.stands_for)} as a table"

    @property
    def is_view(self) -> bool:
        """Where every byte stays as it is, under another scale perhaps."""
        low, high = self.x.dtype.bounds
        return self.x.dtype is self.y.dtype and self.values == tuple(range(low, high + 1))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        places = x.astype(np.int64) - self.x.dtype.bounds[0]
        return (np.array(self.values, self.y.dtype.numpy)[places],)
