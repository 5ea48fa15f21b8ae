"""MEAN: axes that stay and axes that go, alternating after merging."""

from __future__ import annotations

import numpy as np

from ...arith import wrap32
from ...graph import Rounding
from ...ops.mean import Mean
from ...target import Candidate, Form
from ..program import ConstantArray, ParamValue
from .axes import merged, padded, steps
from .lowering import Body, Lowering, candidate
from .packing import CHANNEL_BYTES, FINISH_INSTRUCTIONS, kernel_shift, rounding_name, safe_multiplier
from .sink import sink

AXES = 3  # of each kind
PER_VALUE = 5
LARGEST = 255  # what one value adds to the accumulator


def axes(op: Mean) -> list[tuple[int, int, bool]]:
    """(size, step, goes) of each merged axis of the input."""
    goes = [a in (op.axes or ()) for a in range(len(op.x.shape))]
    sizes, kinds = merged(op.x.shape, goes)
    return [(size, step, bool(kind)) for size, step, kind in zip(sizes, steps(sizes), kinds, strict=True)]


def is_global(op: Mean) -> bool:
    """All rows and columns go, the channels stay?"""
    image, rank = op.x.image, len(op.x.shape)
    return rank >= 3 and rank - 1 not in (op.axes or ()) and op.count == image.rows * image.columns


def candidates(op: Mean) -> tuple[Candidate, ...]:
    found = axes(op)
    sinks = (sink("te_global_mean", op, CHANNEL_BYTES),) if is_global(op) else ()
    if max(sum(goes for *_, goes in found), sum(not goes for *_, goes in found)) > AXES:
        return sinks
    instructions = op.x.elements * PER_VALUE + op.y.elements * FINISH_INSTRUCTIONS
    return (*sinks, candidate("te_mean", form=Form.WHOLE, weights=CHANNEL_BYTES, instructions=instructions))


def lower(op: Mean, chosen: Candidate, function: str) -> Body:
    mantissa, shift = safe_multiplier(op.scale(), op.rounding)
    bias = int(wrap32(np.array(-op.x.zero_point * op.count)))
    values = np.array([bias, mantissa, kernel_shift(shift, op.rounding, LARGEST * op.count)], np.int32)
    table = ConstantArray(f"{function}_channels", "int32_t", values, "bias, mantissa and shift")
    output = _output_params(op, table, op.rounding)
    return Body(output if chosen.form is Form.SINK else {**_axis_params(op), **output}, (table,))


def _axis_params(op: Mean) -> dict[str, ParamValue]:
    params: dict[str, ParamValue] = {}
    for name, kind in (("kept", False), ("reduced", True)):
        chosen = [(size, step) for size, step, goes in axes(op) if goes is kind]
        params[name] = padded([size for size, _ in chosen], AXES, 1)
        params[f"{name}_step"] = padded([step for _, step in chosen], AXES, 0)
    return params


def _output_params(op: Mean, table: ConstantArray, rounding: Rounding) -> dict[str, ParamValue]:
    low, high = op.y.dtype.bounds
    return {
        "output.channels": table.name,
        "output.zero": op.y.zero_point,
        "output.low": low,
        "output.high": high,
        "output.rounding": rounding_name([int(table.values[2])], rounding),
    }


LOWERING = Lowering(candidates, lower)
