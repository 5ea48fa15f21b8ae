"""PAD and PADV2: rows, columns and channels of an image row by row, other axes whole."""

from __future__ import annotations

from ...ops.pad import FilledPad
from ...target import Candidate, Form
from ..program import ParamValue
from .axes import padded
from .copies import copy_instructions
from .lowering import Body, Lowering, candidate

AXES = 6
PER_BORDER_BYTE, PER_INNER_BYTE = 0.7, 0.9
PER_ROW = 22
PER_PIXEL = 4  # with channels around it
SHORT, PER_FILL, PER_FILLED_BYTE = 31, 30, 0.33  # fills up to so many bytes need no loop
PART, PART_OF_CHANNELS = 100, 5  # with borders beside it, and without


def candidates(op: FilledPad) -> tuple[Candidate, ...]:
    if op.image_amounts is not None:
        _, columns, channels = op.image_amounts
        part = PART_OF_CHANNELS if any(channels) and not any(columns) else PART
        return (candidate("te_pad", instructions=_image_instructions(op), part=part),)
    if len(axes(op)) > AXES:
        return ()
    instructions = op.y.nbytes * PER_INNER_BYTE + op.y.image.rows * PER_ROW
    return (candidate("te_pad_any", form=Form.WHOLE, instructions=instructions),)


def _image_instructions(op: FilledPad) -> float:
    assert op.image_amounts is not None
    x, y = op.x.image, op.y.image
    before, after = (n * op.y.dtype.size for n in op.image_amounts[2])
    pixels = x.rows * x.columns
    border = (y.rows * y.columns - pixels) * op.y.pixel_bytes
    inner = op.x.pixel_bytes * PER_INNER_BYTE
    if before or after:
        inner = PER_PIXEL + _fill_instructions(before) + copy_instructions(op.x.pixel_bytes) + _fill_instructions(after)
    return y.rows * PER_ROW + border * PER_BORDER_BYTE + pixels * inner


def _fill_instructions(nbytes: int) -> float:
    return PER_FILL + nbytes * PER_FILLED_BYTE if nbytes > SHORT else sum(divmod(nbytes, 4))


def lower(op: FilledPad, chosen: Candidate, _function: str) -> Body:
    return Body(_image_params(op) if chosen.kernel == "te_pad" else _axis_params(op))


def _image_params(op: FilledPad) -> dict[str, ParamValue]:
    assert op.image_amounts is not None
    rows, columns, channels = op.image_amounts
    return {"word": _word(op), "top": rows[0], "left": columns[0], "front": channels[0] * op.y.dtype.size}


def _word(op: FilledPad) -> int:
    """Four bytes of the border, which begins anywhere at a whole value."""
    size = op.y.dtype.size
    return int.from_bytes(
        (op.value & (1 << 8 * size) - 1).to_bytes(size, "little") * (4 // size), "little", signed=True
    )


def axes(op: FilledPad) -> list[tuple[int, int, int]]:
    """(size, before, inside) of the output's axes; an axis without a border is merged into the one before.

    The last axis is the bytes of a value.
    """
    assert op.amounts is not None
    found: list[tuple[int, int, int]] = []
    width = op.y.dtype.size
    sizes = zip((*op.y.shape, width), (*op.x.shape, width), (*op.amounts, (0, 0)), strict=True)
    for size, inside, (before, after) in sizes:
        if found and not before and not after:
            found[-1] = (found[-1][0] * size, found[-1][1] * size, found[-1][2] * inside)
        else:
            found.append((size, before, inside))
    return found


def _axis_params(op: FilledPad) -> dict[str, ParamValue]:
    found = axes(op)
    return {
        "word": _word(op),
        "size": padded([a[0] for a in found], AXES, 1),
        "before": padded([a[1] for a in found], AXES, 0),
        "inside": padded([a[2] for a in found], AXES, 1),
    }


LOWERING = Lowering(candidates, lower)
