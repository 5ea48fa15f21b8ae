"""AVERAGE_POOL_2D and MAX_POOL_2D."""

from __future__ import annotations

from ...ops.pool2d import MaxPool2D, Pool2D
from ...target import Candidate
from .lowering import Body, Lowering, candidate

PER_TAP = 2.5
PER_VALUE = 12


def candidates(op: Pool2D) -> tuple[Candidate, ...]:
    kernel = "te_max_pool" if isinstance(op, MaxPool2D) else "te_average_pool"
    taps = op.kernel.rows * op.kernel.columns
    return (candidate(kernel, instructions=op.y.elements * (taps * PER_TAP + PER_VALUE)),)


def lower(op: Pool2D, _chosen: Candidate, _function: str) -> Body:
    return Body(
        {
            "in_cols": op.x.image.columns,
            "out_cols": op.y.image.columns,
            "channels": op.x.image.channels,
            "kernel_rows": op.kernel.rows,
            "kernel_cols": op.kernel.columns,
            "stride_rows": op.stride.rows,
            "stride_cols": op.stride.columns,
            "pad_top": op.padding.top,
            "pad_left": op.padding.left,
            "low": op.clamp.low,
            "high": op.clamp.high,
        }
    )


LOWERING = Lowering(candidates, lower)
