"""STRIDED_SLICE: rows, columns and channels of an image strip by strip, any other slice as other moves."""

from __future__ import annotations

from ...ops.strided_slice import StridedSlice, Window
from ...target import Candidate
from ..program import ParamValue
from . import strided
from .copies import copy_instructions
from .lowering import Body, Lowering, candidate

PER_PIXEL = 5
PART = 5
PER_PIECE = 3


def candidates(op: StridedSlice) -> tuple[Candidate, ...]:
    if op.image_window is None:
        return strided.candidates(op)
    return (candidate("te_slice", instructions=_image_instructions(op, op.image_window), part=PART),)


def _image_instructions(op: StridedSlice, window: Window) -> float:
    image, piece = op.y.image, _piece(op, window)
    pixel = copy_instructions(piece)
    if piece < op.y.pixel_bytes:
        pixel = (pixel + PER_PIECE) * image.channels
    return image.rows * image.columns * (PER_PIXEL + pixel)


def _piece(op: StridedSlice, window: Window) -> int:
    return op.y.pixel_bytes if window.channels.step == 1 else op.y.dtype.size


def lower(op: StridedSlice, chosen: Candidate, function: str) -> Body:
    if op.image_window is None:
        return strided.lower(op, chosen, function)
    return Body(_window_params(op, op.image_window))


def _window_params(op: StridedSlice, window: Window) -> dict[str, ParamValue]:
    """Members of te_slice_t."""
    units = {"row": (window.rows, 1), "column": (window.columns, 1), "channel": (window.channels, op.y.dtype.size)}
    params: dict[str, ParamValue] = {}
    for name, (taken, unit) in units.items():
        params |= {name: taken.start * unit, f"{name}_step": taken.step * unit}
    return params | {"piece": _piece(op, window)}


LOWERING = Lowering(candidates, lower)
