"""STRIDED_SLICE: rows, columns and channels of an image strip by strip, any other slice whole."""

from __future__ import annotations

from ...ops.strided_slice import StridedSlice
from ...target import Candidate, Form
from ..program import ParamValue
from .axes import padded, steps
from .copies import copy_instructions
from .lowering import Body, Lowering, candidate, prefixed

AXES = 6
PER_PIXEL = 5
PART = 5
PER_SINGLE_VALUE = 5


def candidates(op: StridedSlice) -> tuple[Candidate, ...]:
    if op.image_window is not None:
        return (candidate("te_slice", instructions=_image_instructions(op), part=PART),)
    if len(axes(op)) > AXES:
        return ()
    return (candidate("te_slice_any", form=Form.WHOLE, instructions=op.y.elements * PER_SINGLE_VALUE),)


def _image_instructions(op: StridedSlice) -> float:
    assert op.image_window is not None
    image, together = op.y.image, op.image_window.channels.step == 1
    pixel = copy_instructions(op.y.pixel_bytes) if together else image.channels * PER_SINGLE_VALUE
    return image.rows * image.columns * (PER_PIXEL + pixel)


def lower(op: StridedSlice, chosen: Candidate, _function: str) -> Body:
    return Body(_window_params(op) if chosen.kernel == "te_slice" else _axis_params(op))


def _window_params(op: StridedSlice) -> dict[str, ParamValue]:
    window = op.image_window
    assert window is not None
    params: dict[str, ParamValue] = {}
    for name, taken in (("row", window.rows), ("column", window.columns), ("channel", window.channels)):
        params |= {name: taken.start, f"{name}_step": taken.step}
    return params


def axes(op: StridedSlice) -> list[tuple[int, int]]:
    """(size, step in bytes) of the output's axes; an axis that continues the one before is merged into it."""
    found: list[tuple[int, int]] = []
    for taken, distance in zip(op.taken, steps(op.x.shape), strict=True):
        size, step = len(taken), taken.step * distance
        if found and found[-1][1] == size * step:
            found[-1] = (found[-1][0] * size, step)
        elif size > 1:
            found.append((size, step))
    return found


def _axis_params(op: StridedSlice) -> dict[str, ParamValue]:
    """Members of te_slice_any_t."""
    found = axes(op)
    first = sum(taken.start * distance for taken, distance in zip(op.taken, steps(op.x.shape), strict=True))
    walk: dict[str, ParamValue] = {
        "size": padded([size for size, _ in found], AXES, 1),
        "step_a": padded([step for _, step in found], AXES, 0),
    }
    return {"first": first, **prefixed("axes", walk)}


LOWERING = Lowering(candidates, lower)
