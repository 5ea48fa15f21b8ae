"""CONV_2D: a matrix product over gathered patches, or over the pixels themselves if 1x1."""

from __future__ import annotations

from ...graph import DType, Padding
from ...ops.conv2d import Conv2D
from ...ops.windowed_weights import WeightedWindow
from ...target import Candidate
from .lowering import CALL, Body, Lowering, Params, candidate, prefixed
from .packing import (
    FINISH_INSTRUCTIONS,
    FINISH_WIDE_INSTRUCTIONS,
    PER_WIDE_MAC,
    differences,
    matrix,
    summed_instructions,
    weight_bytes,
    window_params,
)

PIXELS = 2  # gathered at a time
PER_MAC = 2.3
PER_MAC_OF_ONE = 0.25  # more for a pixel that is left over
PER_GATHERED_ROW = 30  # of the kernel
PER_GATHERED_BYTE = 0.8


def is_pointwise(op: Conv2D) -> bool:
    """One pixel in, one pixel out: nothing to gather."""
    return op.kernel == (1, 1) and op.padding == Padding()


def candidates(op: Conv2D) -> tuple[Candidate, ...]:
    if op.x.dtype is DType.INT16:
        return (_candidate_16(op),)
    weights = weight_bytes(op)
    instructions = op.macs * PER_MAC + op.y.elements * FINISH_INSTRUCTIONS
    instructions += summed_instructions(op, op.macs / op.channels)
    call = CALL + (op.y.image.columns % PIXELS) * op.depth * op.channels * PER_MAC_OF_ONE
    if is_pointwise(op):
        return (candidate("te_pointwise", weights=weights, instructions=instructions, call=call),)
    instructions += gathered_instructions(op)
    scratch = PIXELS * op.depth
    return (candidate("te_conv2d", scratch=scratch, weights=weights, instructions=instructions, call=call),)


def gathered_instructions(op: WeightedWindow) -> float:
    """To bring together what each pixel of the output sees."""
    nbytes = op.kernel.rows * op.kernel.columns * op.x.pixel_bytes
    return op.y.image.rows * op.y.image.columns * (op.kernel.rows * PER_GATHERED_ROW + nbytes * PER_GATHERED_BYTE)


def _candidate_16(op: Conv2D) -> Candidate:
    instructions = op.macs * PER_WIDE_MAC + op.y.elements * FINISH_WIDE_INSTRUCTIONS
    if is_pointwise(op):
        return candidate("te_pointwise_16", weights=weight_bytes(op), instructions=instructions)
    instructions += gathered_instructions(op)
    scratch = op.depth * op.x.dtype.size
    return candidate("te_conv2d_16", scratch=scratch, weights=weight_bytes(op), instructions=instructions)


def lower(op: Conv2D, chosen: Candidate, function: str) -> Body:
    weights = differences(op).reshape(op.channels, op.depth)
    packed = matrix(op, weights, function, "[channels out][rows][columns][channels in]")
    pointwise = chosen.kernel in ("te_pointwise", "te_pointwise_16")
    geometry = _pixels(op) if pointwise else prefixed("window", window_params(op))
    return Body({**geometry, **prefixed("matrix", packed.params)}, packed.constants)


def _pixels(op: Conv2D) -> Params:
    return {"stride_rows": op.stride.rows, "stride_cols": op.stride.columns}


LOWERING = Lowering(candidates, lower)
