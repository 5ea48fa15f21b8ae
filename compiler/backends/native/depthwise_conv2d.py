"""DEPTHWISE_CONV_2D: row by row, or whole and in place."""

from __future__ import annotations

from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...ops.geometry import Pair
from ...target import Candidate, Form
from ..program import ParamValue
from .lowering import Body, Lowering, candidate, prefixed
from .packing import CHANNEL_BYTES, FINISH_INSTRUCTIONS, output_params, pack_channels, weight_table, window_params

PER_MAC = 2.3
PER_COPIED_BYTE = 3


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
    weights = op.weights.nbytes + CHANNEL_BYTES * op.channels
    instructions = op.macs * PER_MAC + op.y.elements * FINISH_INSTRUCTIONS
    rows, columns = plane(op)
    copied = op.y.image.rows * op.kernel.rows * op.x.row_bytes  # each row once for every window
    strip = candidate(
        "te_depthwise",
        scratch=op.kernel.rows * columns,
        weights=weights,
        instructions=instructions + copied * PER_COPIED_BYTE,
    )
    if not fits_in_place(op):
        return (strip,)
    whole = candidate(
        "te_depthwise_whole",
        form=Form.WHOLE,
        scratch=rows * columns,
        in_place=(0,),
        weights=weights,
        instructions=instructions + op.x.elements * PER_COPIED_BYTE,
    )
    return (strip, whole)


def lower(op: DepthwiseConv2D, chosen: Candidate, function: str) -> Body:
    channels = pack_channels(op, op.weight_values().reshape(-1, op.channels).T)
    weights = weight_table(channels.weights, function, "[channels][rows][columns]")
    table = channels.table(function)
    params = {"weights": weights.name, **_window(op), **prefixed("output", output_params(op, table))}
    if chosen.form is Form.WHOLE:
        params = {"plane_rows": plane(op).rows, **prefixed("plane", params)}
    return Body(params, (weights, table))


def _window(op: DepthwiseConv2D) -> dict[str, ParamValue]:
    return {**window_params(op), "multiplier": op.multiplier, "plane_cols": plane(op).columns}


LOWERING = Lowering(candidates, lower)
