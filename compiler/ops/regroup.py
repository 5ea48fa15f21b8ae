"""Images whose values are grouped anew: blocks of pixels as channels and back, channels shuffled, repeated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..graph import ImageShape, Region, Span
from .traversal import Axis, Traversal, levels

ROWS, COLUMNS, CHANNELS = range(3)  # of the input
ALONE = Axis(1, 0)


class Regroup(NamedTuple):
    """Of each row and column of the output the place in the input, and which values a pixel is put together from.

    `row_parts` neighbouring rows are parts of the same rows of the input, from other channels on: with a block of
    two, DEPTH_TO_SPACE has two rows for one. `rows` and `columns` count those groups, in the input's rows and columns.
    """

    first: tuple[int, int, int]  # row, column and channel of the first value
    rows: Axis
    row_parts: Axis  # in channels of the input, as all that follow but two
    columns: Axis
    column_parts: Axis
    down: Axis  # input rows that one pixel is put together from
    across: Axis  # and input columns
    outer: Axis
    inner: Axis
    piece: int  # neighbouring channels

    def window(self, region: Region) -> Region:
        rows = _needed(self.first[0], region.rows, self.rows, self.row_parts.size, self.down)
        return Region(rows, _needed(self.first[1], region.columns, self.columns, self.column_parts.size, self.across))


def _needed(first: int, wanted: Span, groups: Axis, parts: int, within: Axis) -> Span:
    if not wanted.size:
        return Span(0, 0)
    low, high = (first + place // parts * groups.step for place in (wanted.start, wanted.stop - 1))
    return Span(low, high + within.reach + 1)


def regroup(traversal: Traversal, x: ImageShape, y: ImageShape) -> Regroup | None:
    """None where rows of the output do not come from rows of the input in this way."""
    axes = traversal.merged
    if any(axis.step < 0 for axis in axes):
        return None
    by_output = (_cut(_cut(found, x.columns * x.channels), x.channels) for found in levels(axes, y.columns, y.channels))
    sorted_axes = [_by_level(found, level, x) for level, found in enumerate(by_output)]
    if len(sorted_axes) != 3 or None in sorted_axes:
        return None
    return _assembled(_place(traversal.first, x), x, [found for found in sorted_axes if found is not None])


def _cut(axes: Sequence[Axis], unit: int) -> list[Axis]:
    """Axes that run on from one pixel, or row, of the input into the next, as two."""
    found: list[Axis] = []
    for axis in axes:
        inside = unit // axis.step if 0 < axis.step < unit and unit % axis.step == 0 else axis.size
        if inside < axis.size and axis.size % inside == 0:
            found += [Axis(axis.size // inside, unit), Axis(inside, axis.step)]
        else:
            found.append(axis)
    return found


def _by_level(axes: Iterable[Axis], own: int, x: ImageShape) -> list[list[Axis]] | None:
    """Axes along the input's rows, columns and channels, counted in those; None if an axis runs along several."""
    found: list[list[Axis]] = [[], [], []]
    order: list[int] = []
    for axis in axes:
        level = _level(axis, x) if axis.step else own
        if level is None or (order and level < order[-1]):
            return None
        order.append(level)
        unit = (x.columns * x.channels, x.channels, 1)[level]
        found[level].append(Axis(axis.size, axis.step // unit))
    return found


def _level(axis: Axis, x: ImageShape) -> int | None:
    if axis.step < x.channels:
        return CHANNELS
    if axis.step % x.channels == 0 and axis.step < x.columns * x.channels:
        return COLUMNS
    return ROWS if axis.step % (x.columns * x.channels) == 0 else None


def _place(element: int, x: ImageShape) -> tuple[int, int, int]:
    pixel, channel = divmod(element, x.channels)
    return (*divmod(pixel, x.columns), channel)


def _assembled(first: tuple[int, int, int], x: ImageShape, found: list[list[list[Axis]]]) -> Regroup | None:
    (rows, across_rows, row_parts), (down_columns, columns, column_parts), (down, across, channels) = found
    outer, inner, piece = _pieces(channels)
    if across_rows or down_columns or outer is None:
        return None
    groups = (rows, row_parts, columns, column_parts, down, across)
    if any(len(axes) > 1 for axes in groups):
        return None
    single = (axes[0] if axes else ALONE for axes in groups)
    made = Regroup._make((first, *single, outer, inner, piece))
    return made if _fits(made, x) else None


def _pieces(channels: list[Axis]) -> tuple[Axis | None, Axis, int]:
    """Two axes of pieces; None in place of the first where there are more."""
    whole = bool(channels) and channels[-1].step == 1
    *others, last = channels if whole else [*channels, ALONE]
    outer, inner = (*[ALONE] * (2 - len(others)), *others)[-2:]
    return (outer if len(others) <= 2 else None), inner, last.size


def _fits(made: Regroup, x: ImageShape) -> bool:
    """Do places never run over into the next pixel or row?"""
    channels = (made.row_parts, made.column_parts, made.outer, made.inner, Axis(made.piece, 1))
    reaches = (
        made.first[0] + made.rows.reach + made.down.reach,
        made.first[1] + made.columns.reach + made.across.reach,
        made.first[2] + sum(axis.reach for axis in channels),
    )
    return all(reach < size for reach, size in zip(reaches, x, strict=True))
