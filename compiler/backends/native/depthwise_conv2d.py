"""DEPTHWISE_CONV_2D: row by row, or whole and in place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...graph import Array, DType
from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...ops.geometry import Pair
from ...target import Candidate, Form
from ..program import ParamValue
from .conv2d import gathered_instructions
from .finish import layer_finish_instructions
from .lowering import Body, Lowering, Params, candidate, prefixed
from .packing import (
    differences,
    kept_zero,
    output_params,
    pack_channels,
    weight_bytes,
    weight_table,
    wide_output_params,
    wide_table,
    window_params,
)

TOGETHER = (4, 1)  # channels: faster, or with less scratch
WEIGHTS = "[channels][rows][columns]"
PER_MAC = 2
PER_MAC_OF_ZERO = 0.8  # more, if the weights keep a zero point
PER_MAC_16, PER_OUTPUT_16 = 3.5, 40
LESS_PER_OUTPUT = 3  # than other layers take for it
PER_COPIED_BYTE = {4: 1.8, 1: 2.2}  # by how many channels are copied together
PER_LINE = 20  # of one channel of the output
PER_COPIED_LINE = {4: 4, 1: 10}  # of one channel of the input
PER_STRIP_LINE = 10  # more than in a whole tensor: of one channel of the output
PER_PART_AND_CHANNEL = 90
PER_PART_AND_TAP_ROW = {4: 40, 1: 75}  # of one channel


def plane(op: DepthwiseConv2D) -> Pair:
    """One channel with its border, as far as the last output sees."""
    image = op.y.image
    return Pair(
        (image.rows - 1) * op.stride.rows + op.extent.rows,
        (image.columns - 1) * op.stride.columns + op.extent.columns,
    )


def fits_in_place(op: DepthwiseConv2D) -> bool:
    x, y = op.x.image, op.y.image
    return op.multiplier == 1 and y.rows * y.columns <= x.rows * x.columns


def candidates(op: DepthwiseConv2D) -> tuple[Candidate, ...]:
    if op.x.dtype is DType.INT16:
        return (_strip_16(op),)
    strips = [_strip(op, together) for together in TOGETHER if op.x.image.channels % together == 0]
    return (*strips, _whole(op)) if fits_in_place(op) else tuple(strips)


def _strip(op: DepthwiseConv2D, together: int) -> Candidate:
    """The output may lie on dead inputs at any distance, if each call computes one row (or a part of one):
    of a channel, all that this row sees is read before any of it is written."""
    lines = op.y.image.rows * op.kernel.rows * op.x.image.channels  # each once for every window
    copied = lines * (PER_COPIED_LINE[together] + op.x.image.columns * PER_COPIED_BYTE[together])
    part = op.x.image.channels * (PER_PART_AND_CHANNEL + op.kernel.rows * PER_PART_AND_TAP_ROW[together])
    found = candidate(
        "te_depthwise",
        scratch=together * op.kernel.rows * plane(op).columns,
        by_channel=(0,) if op.multiplier == 1 else (),
        weights=weight_bytes(op),
        instructions=_sums(op) + copied + op.y.image.rows * op.channels * PER_STRIP_LINE,
        part=part,
    )
    return replace(found, spec={"together": together})


def _whole(op: DepthwiseConv2D) -> Candidate:
    rows, columns = plane(op)
    lines = op.x.image.rows * op.x.image.channels
    return candidate(
        "te_depthwise_whole",
        form=Form.WHOLE,
        scratch=rows * columns,
        in_place=(0,),
        weights=weight_bytes(op),
        instructions=_sums(op) + lines * PER_COPIED_LINE[1] + op.x.elements * PER_COPIED_BYTE[1],
    )


def _strip_16(op: DepthwiseConv2D) -> Candidate:
    instructions = op.macs * PER_MAC_16 + op.y.elements * PER_OUTPUT_16 + gathered_instructions(op)
    scratch = op.kernel.rows * op.kernel.columns * op.x.pixel_bytes
    return candidate("te_depthwise_16", scratch=scratch, weights=weight_bytes(op), instructions=instructions)


def _sums(op: DepthwiseConv2D) -> float:
    lines = op.y.image.rows * op.channels
    per_mac = PER_MAC + (PER_MAC_OF_ZERO if op.weights.zero_point else 0)
    per_output = layer_finish_instructions(op) - LESS_PER_OUTPUT
    return op.macs * per_mac + op.y.elements * per_output + lines * PER_LINE


def lower(op: DepthwiseConv2D, chosen: Candidate, function: str) -> Body:
    if op.x.dtype is DType.INT16:
        return _lower_16(op, function)
    channels = pack_channels(op, _by_channel(op))
    zero = kept_zero(op, channels.weights)
    weights = weight_table(channels.weights + zero, function, WEIGHTS)
    table = channels.table(function)
    tables: Params = {"weights": weights.name, "weight_zero": zero}
    params: Params = {**tables, **_window(op), **prefixed("output", output_params(op, table))}
    first = {"plane_rows": plane(op).rows} if chosen.form is Form.WHOLE else {"together": chosen.spec["together"]}
    return Body({**first, **prefixed("plane", params)}, (weights, table))


def _window(op: DepthwiseConv2D) -> dict[str, ParamValue]:
    return {**window_params(op), "multiplier": op.multiplier, "plane_cols": plane(op).columns}


def _by_channel(op: DepthwiseConv2D) -> Array:
    return np.asarray(differences(op).reshape(-1, op.channels).T)


def _lower_16(op: DepthwiseConv2D, function: str) -> Body:
    weights, table = weight_table(_by_channel(op), function, WEIGHTS), wide_table(op, function)
    params: Params = {
        **prefixed("window", window_params(op)),
        "weights": weights.name,
        "channels": op.x.image.channels,
        "multiplier": op.multiplier,
        **prefixed("output", wide_output_params(op, table)),
    }
    return Body(params, (weights, table))


LOWERING = Lowering(candidates, lower)
