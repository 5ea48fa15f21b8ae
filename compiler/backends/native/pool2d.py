"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from typing import NamedTuple

from ...graph import Padding
from ...ops.pool2d import AveragePool2D, MaxPool2D, Pool2D
from ...target import Candidate, Form
from .lowering import Body, Lowering, Params, candidate
from .sink import sink

LANES = 4  # channels that are computed together
PER_TAP_OF_GROUP = 3
PER_ROW_OF_GROUP = 8  # of the window, if it may reach over the border
PART = 150


class Prices(NamedTuple):
    group: int
    value: float
    tap: int  # of each value


AVERAGE, MAX = Prices(12, 14.5, 2), Prices(15, 4, 4)


def is_global(op: Pool2D) -> bool:
    """One window, which is the whole image?"""
    return op.kernel == op.x.image[:2] and op.padding == Padding()


def candidates(op: Pool2D) -> tuple[Candidate, ...]:
    return tuple(_kernels(op))


def _kernels(op: Pool2D) -> tuple[Candidate, ...]:
    if isinstance(op, MaxPool2D):
        return (candidate("te_max_pool", instructions=_instructions(op, MAX), part=PART),)
    strip = candidate("te_average_pool", instructions=_instructions(op, AVERAGE), part=PART)
    return (sink("te_global_average", op), strip) if is_global(op) else (strip,)


def _instructions(op: Pool2D, prices: Prices) -> float:
    x, y = op.x.image, op.y.image
    groups = -(-y.channels // LANES)
    rows = _seen(x.rows, y.rows, op.kernel.rows, op.stride.rows, op.padding.top)
    taps = rows * _seen(x.columns, y.columns, op.kernel.columns, op.stride.columns, op.padding.left)
    crossed = 0 if op.padding == Padding() else rows * y.columns
    return (
        y.rows * y.columns * (groups * prices.group + y.channels * prices.value)
        + crossed * groups * PER_ROW_OF_GROUP
        + taps * (groups * PER_TAP_OF_GROUP + y.channels * prices.tap)
    )


def _seen(size: int, count: int, kernel: int, stride: int, before: int) -> int:
    """Rows (or columns) inside the image, of all windows together."""
    starts = [i * stride - before for i in range(count)]
    return sum(min(start + kernel, size) - max(start, 0) for start in starts)


def lower(op: Pool2D, chosen: Candidate, _function: str) -> Body:
    ties_up = isinstance(op, AveragePool2D) and op.ties_up
    kind: Params = {"kind.bytes": op.x.dtype.size, "kind.ties_up": int(ties_up)}
    bounds: Params = {"low": op.clamp.low, "high": op.clamp.high}
    if chosen.form is Form.SINK:
        return Body({**kind, **bounds})
    window: Params = {
        "in_cols": op.x.image.columns,
        "channels": op.x.image.channels,
        "kernel_rows": op.kernel.rows,
        "kernel_cols": op.kernel.columns,
        "stride_rows": op.stride.rows,
        "stride_cols": op.stride.columns,
        "pad_top": op.padding.top,
        "pad_left": op.padding.left,
    }
    return Body({**kind, **window, **bounds})


LOWERING = Lowering(candidates, lower)
