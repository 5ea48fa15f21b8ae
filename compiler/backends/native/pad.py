"""PAD: rows, columns and channels of an image row by row, other axes whole."""

from __future__ import annotations

from ...ops.pad import Pad
from ...target import Candidate, Form
from ..program import ParamValue
from .axes import padded
from .copies import copy_instructions
from .lowering import Body, Lowering, candidate

AXES = 6
PER_BORDER_VALUE, PER_INNER_VALUE = 0.7, 0.9
PER_ROW = 22
PER_PIXEL = 4  # with channels around it
SHORT, PER_FILL, PER_FILLED_BYTE = 31, 30, 0.33  # fills up to so many bytes need no loop
PART, PART_OF_CHANNELS = 100, 5  # with borders beside it, and without


def candidates(op: Pad) -> tuple[Candidate, ...]:
    if op.image_amounts is not None:
        _, columns, channels = op.image_amounts
        part = PART_OF_CHANNELS if any(channels) and not any(columns) else PART
        return (candidate("te_pad", instructions=_image_instructions(op), part=part),)
    if len(axes(op)) > AXES:
        return ()
    instructions = op.y.elements * PER_INNER_VALUE + op.y.image.rows * PER_ROW
    return (candidate("te_pad_any", form=Form.WHOLE, instructions=instructions),)


def _image_instructions(op: Pad) -> float:
    assert op.image_amounts is not None
    x, y, (before, after) = op.x.image, op.y.image, op.image_amounts[2]
    pixels = x.rows * x.columns
    border = (y.rows * y.columns - pixels) * y.channels
    inner = x.channels * PER_INNER_VALUE
    if before or after:
        inner = PER_PIXEL + _fill_instructions(before) + copy_instructions(x.channels) + _fill_instructions(after)
    return y.rows * PER_ROW + border * PER_BORDER_VALUE + pixels * inner


def _fill_instructions(nbytes: int) -> float:
    return PER_FILL + nbytes * PER_FILLED_BYTE if nbytes > SHORT else sum(divmod(nbytes, 4))


def lower(op: Pad, chosen: Candidate, _function: str) -> Body:
    return Body(_image_params(op) if chosen.kernel == "te_pad" else _axis_params(op))


def _image_params(op: Pad) -> dict[str, ParamValue]:
    assert op.image_amounts is not None
    rows, columns, channels = op.image_amounts
    return {"value": op.y.zero_point, "top": rows[0], "left": columns[0], "front": channels[0]}


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
