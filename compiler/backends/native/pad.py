"""PAD: rows and columns of an image row by row, other axes whole."""

from __future__ import annotations

from ...ops.pad import Pad
from ...target import Candidate, Form
from ..program import ParamValue
from .axes import padded
from .lowering import Body, Lowering, candidate

AXES = 6
PER_VALUE = 1.2


def candidates(op: Pad) -> tuple[Candidate, ...]:
    instructions = op.y.elements * PER_VALUE + 20 * op.y.image.rows
    if op.only_rows_and_columns and op.x.shape[0] == 1:
        return (candidate("te_pad", instructions=instructions),)
    if len(axes(op)) > AXES:
        return ()
    return (candidate("te_pad_any", form=Form.WHOLE, instructions=instructions),)


def lower(op: Pad, chosen: Candidate, _function: str) -> Body:
    return Body(_image_params(op) if chosen.kernel == "te_pad" else _axis_params(op))


def _image_params(op: Pad) -> dict[str, ParamValue]:
    assert op.amounts is not None
    (left, right), channels = op.amounts[2], op.x.image.channels
    return {
        "value": op.y.zero_point,
        "top": op.amounts[1][0],
        "left": left * channels,
        "right": right * channels,
        "in_bytes": op.x.row_bytes,
    }


def axes(op: Pad) -> list[tuple[int, int, int]]:
    """(size, before, inside) of the output's axes; an axis without a border is merged into the one before."""
    assert op.amounts is not None
    found: list[tuple[int, int, int]] = []
    for size, inside, (before, after) in zip(op.y.shape, op.x.shape, op.amounts, strict=True):
        if found and not before and not after:
            found[-1] = (found[-1][0] * size, found[-1][1] * size, found[-1][2] * inside)
        else:
            found.append((size, before, inside))
    return found


def _axis_params(op: Pad) -> dict[str, ParamValue]:
    found = axes(op)
    return {
        "value": op.y.zero_point,
        "size": padded([a[0] for a in found], AXES, 1),
        "before": padded([a[1] for a in found], AXES, 0),
        "inside": padded([a[2] for a in found], AXES, 1),
    }


LOWERING = Lowering(candidates, lower)
