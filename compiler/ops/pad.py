"""PAD: a border of zeros, which in quantised terms is the zero point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..graph import Array, DType, Node, Op, Region, Span
from .checks import INDEX_TYPES, differing_quant, integers, not_constant, not_per_tensor, wrong_shape, wrong_types


@dataclass(frozen=True, eq=False)
class Pad(Op):
    """`amounts[axis]` is how many values come before and after; None until its table is known."""

    amounts: tuple[tuple[int, int], ...] | None

    kind = "PAD"
    summary = "a border of zeros on any axis"
    limits = "int8; constant amounts; input and output quantised alike"
    short = "pad"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, None)

    def __post_init__(self) -> None:
        """The table may become known later, when a pass has folded what computes it."""
        table = integers(self.inputs[1])
        if self.amounts is None and table is not None and table.size % 2 == 0:
            amounts = tuple((int(before), int(after)) for before, after in table.reshape(-1, 2))
            object.__setattr__(self, "amounts", amounts)

    @property
    def only_rows_and_columns(self) -> bool:
        amounts = self.amounts or ()
        return len(amounts) == 4 and amounts[0] == (0, 0) and amounts[3] == (0, 0)

    @property
    def image_amounts(self) -> tuple[tuple[int, int], ...] | None:
        """Those of rows, columns and channels, if there is but one image."""
        amounts = self.amounts or ()
        fits = len(amounts) >= 3 and not any(map(any, amounts[:-3])) and set(self.x.shape[:-3]) <= {1}
        return amounts[-3:] if fits else None

    @property
    def streams(self) -> bool:
        return self.image_amounts is not None

    def window(self, index: int, region: Region) -> Region:
        if self.image_amounts is None:
            return self.x.whole
        image, (rows, columns, _) = self.x.image, self.image_amounts
        return Region(
            _shifted(region.rows, rows[0], image.rows),
            _shifted(region.columns, columns[0], image.columns),
        )

    def invalid(self) -> Iterator[str]:
        if self.amounts is None:
            if integers(self.inputs[1]) is not None:
                yield "the table of paddings holds an odd number of values"
            return
        if len(self.amounts) != len(self.x.shape) or min((min(pair) for pair in self.amounts), default=0) < 0:
            yield f"paddings {self.amounts} do not fit {self.x.describe()}"
            return
        expected = tuple(n + before + after for n, (before, after) in zip(self.x.shape, self.amounts, strict=True))
        yield from wrong_shape(self.y, expected)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), (DType.INT8,))
        yield from not_per_tensor((self.x, self.y))
        yield from differing_quant(self, (self.x,))
        yield from not_constant((self.inputs[1],), "padding table")
        yield from wrong_types(self, (self.inputs[1],), INDEX_TYPES)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None and self.amounts is not None
        return (np.pad(x, self.amounts, constant_values=self.y.zero_point),)


def _shifted(span: Span, before: int, size: int) -> Span:
    return Span(min(max(span.start - before, 0), size), min(max(span.stop - before, 0), size))
