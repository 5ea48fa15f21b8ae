"""DEPTHWISE_CONV_2D: row by row, or whole and in place."""

from __future__ import annotations

from dataclasses import replace

from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...ops.geometry import Pair
from ...target import Candidate, Form
from ..program import ParamValue
from .lowering import Body, Lowering, candidate, prefixed
from .packing import CHANNEL_BYTES, output_params, pack_channels, weight_table, window_params

TOGETHER = (4, 1)  # channels: faster, or with less scratch
PER_MAC = 2
PER_OUTPUT = 13
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
        weights=_weight_bytes(op),
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
        weights=_weight_bytes(op),
        instructions=_sums(op) + lines * PER_COPIED_LINE[1] + op.x.elements * PER_COPIED_BYTE[1],
    )


def _weight_bytes(op: DepthwiseConv2D) -> int:
    return op.weights.nbytes + CHANNEL_BYTES * op.channels


def _sums(op: DepthwiseConv2D) -> float:
    lines = op.y.image.rows * op.channels
    return op.macs * PER_MAC + op.y.elements * PER_OUTPUT + lines * PER_LINE


def lower(op: DepthwiseConv2D, chosen: Candidate, function: str) -> Body:
    channels = pack_channels(op, op.weight_values().reshape(-1, op.channels).T)
    weights = weight_table(channels.weights, function, "[channels][rows][columns]")
    table = channels.table(function)
    params = {"weights": weights.name, **_window(op), **prefixed("output", output_params(op, table))}
    first = {"plane_rows": plane(op).rows} if chosen.form is Form.WHOLE else {"together": chosen.spec["together"]}
    return Body({**first, **prefixed("plane", params)}, (weights, table))


def _window(op: DepthwiseConv2D) -> dict[str, ParamValue]:
    return {**window_params(op), "multiplier": op.multiplier, "plane_cols": plane(op).columns}


LOWERING = Lowering(candidates, lower)
