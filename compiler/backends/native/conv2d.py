"""CONV_2D: a matrix product over gathered patches, or over the pixels themselves if 1x1."""

from __future__ import annotations

from ...graph import Padding
from ...ops.conv2d import Conv2D
from ...target import Candidate
from .lowering import CALL, Body, Lowering, Params, candidate, prefixed
from .packing import CHANNEL_BYTES, FINISH_INSTRUCTIONS, matrix_params, pack_channels, weight_table, window_params

PIXELS = 2  # gathered at a time
PER_MAC = 2.3
PER_MAC_OF_ONE = 0.25  # more for a pixel that is left over
PER_GATHERED_ROW = 30  # of the kernel
PER_GATHERED_BYTE = 0.8


def is_pointwise(op: Conv2D) -> bool:
    """One pixel in, one pixel out: nothing to gather."""
    return op.kernel == (1, 1) and op.padding == Padding()


def candidates(op: Conv2D) -> tuple[Candidate, ...]:
    weights = op.weights.nbytes + CHANNEL_BYTES * op.channels
    instructions = op.macs * PER_MAC + op.y.elements * FINISH_INSTRUCTIONS
    call = CALL + (op.y.image.columns % PIXELS) * op.depth * op.channels * PER_MAC_OF_ONE
    if is_pointwise(op):
        return (candidate("te_pointwise", weights=weights, instructions=instructions, call=call),)
    gathered = op.kernel.rows * PER_GATHERED_ROW + op.depth * PER_GATHERED_BYTE
    instructions += op.y.image.rows * op.y.image.columns * gathered
    scratch = PIXELS * op.depth
    return (candidate("te_conv2d", scratch=scratch, weights=weights, instructions=instructions, call=call),)


def lower(op: Conv2D, chosen: Candidate, function: str) -> Body:
    channels = pack_channels(op, op.weight_values().reshape(op.channels, op.depth))
    weights = weight_table(channels.weights, function, "[channels out][rows][columns][channels in]")
    table = channels.table(function)
    geometry = _pixels(op) if chosen.kernel == "te_pointwise" else window_params(op)
    return Body({**geometry, **prefixed("matrix", matrix_params(op, weights, table))}, (weights, table))


def _pixels(op: Conv2D) -> Params:
    return {"stride_rows": op.stride.rows, "stride_cols": op.stride.columns}


LOWERING = Lowering(candidates, lower)
