"""CONV_2D: a matrix product over gathered patches, or over the pixels themselves if 1x1."""

from __future__ import annotations

from ...graph import DType, Padding
from ...ops.conv2d import Conv2D
from ...ops.windowed_weights import WeightedWindow
from ...target import Candidate
from .finish import layer_finish_instructions
from .fully_connected import PER_MAC_ALONE, products_of_one
from .lowering import CALL, Body, Lowering, Params, candidate, prefixed
from .packing import (
    FINISH_WIDE_INSTRUCTIONS,
    PER_WIDE_MAC,
    differences,
    matrix,
    summed_instructions,
    weight_bytes,
    window_params,
)

PIXELS = 2  # gathered at a time
PER_MAC = 2.3  # of two pixels and two channels together
PER_GATHERED_ROW = 30  # of the kernel
PER_GATHERED_BYTE = 0.8


def is_pointwise(op: Conv2D) -> bool:
    """One pixel in, one pixel out: nothing to gather."""
    return op.kernel == (1, 1) and op.padding == Padding()


def candidates(op: Conv2D) -> tuple[Candidate, ...]:
    if op.x.dtype is DType.INT16:
        return (_candidate_16(op),)
    weights = weight_bytes(op)
    instructions = _products(op) + op.y.elements * layer_finish_instructions(op)
    instructions += summed_instructions(op, op.macs / op.channels)
    if is_pointwise(op):
        alone = op.y.image.columns % PIXELS if is_flat(op) else 0
        call = CALL + alone * op.depth * _more_for_one(op.channels)
        return (candidate("te_pointwise", weights=weights, instructions=instructions, call=call),)
    instructions += gathered_instructions(op)
    scratch = PIXELS * op.depth
    return (candidate("te_conv2d", scratch=scratch, weights=weights, instructions=instructions),)


def is_flat(op: Conv2D) -> bool:
    """Are its pixels taken one after the other, whatever row they are in?"""
    return is_pointwise(op) and op.stride == (1, 1)


def _products(op: Conv2D) -> float:
    image = op.y.image
    pixels = image.rows * image.columns
    alone = pixels % PIXELS if is_flat(op) else image.rows * (image.columns % PIXELS)
    return op.depth * (pixels * _products_of_two(op.channels) / PIXELS + alone * _more_for_one(op.channels))


def _products_of_two(channels: int) -> float:
    """Instructions for each input of two pixels, as te_matrix_2 takes them."""
    alone = channels % 2
    return PIXELS * ((channels - alone) * PER_MAC + alone * PER_MAC_ALONE)


def _more_for_one(channels: int) -> float:
    """For a pixel that is left over; never less, though it may be."""
    return max(0, products_of_one(channels) - _products_of_two(channels) / PIXELS)


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
