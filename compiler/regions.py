"""Parts of a tensor that is seen as an image: rows of pixels of channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias


class Span(NamedTuple):
    """Half-open interval of rows or columns."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return max(0, self.stop - self.start)


class Region(NamedTuple):
    """A rectangle of pixels of a tensor seen as rows x columns x channels."""

    rows: Span
    columns: Span

    @property
    def size(self) -> int:
        """How many pixels."""
        return self.rows.size * self.columns.size


class Run(NamedTuple):
    """Neighbouring pixels in the order of rows, wherever rows end: numbers of the first, and behind the last."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start

    def rectangles(self, columns: int) -> Iterator[Region]:
        """The same pixels, cut where rows of so many columns end."""
        for row in range(self.start // columns, -(-self.stop // columns)):
            left, right = self.start - row * columns, self.stop - row * columns
            yield Region(Span(row, row + 1), Span(max(left, 0), min(right, columns)))


class ImageShape(NamedTuple):
    """Any tensor seen as rows of pixels of channels (batch is 1)."""

    rows: int
    columns: int
    channels: int


Part: TypeAlias = Region | Run  # of a tensor seen as an image
