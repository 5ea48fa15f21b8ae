"""RESIZE_NEAREST_NEIGHBOR: which row and column each one copies stands in two small tables."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ...graph import Array, Tensor
from ...target import Candidate
from ..program import ConstantArray
from .copies import copy_instructions
from .lowering import Body, Lowering, candidate

PER_PIXEL = 6
PART = 5
INDEX_BYTES = 2


class Picking(Protocol):
    """An operator whose rows and columns are copies; both tables hold numbers of the input's."""

    @property
    def y(self) -> Tensor: ...

    @property
    def rows(self) -> Array: ...

    @property
    def columns(self) -> Array: ...


def candidates(op: Picking) -> tuple[Candidate, ...]:
    image = op.y.image
    return (
        candidate(
            "te_resize_nearest",
            weights=(image.rows + image.columns) * INDEX_BYTES,
            instructions=image.rows * image.columns * (PER_PIXEL + copy_instructions(op.y.pixel_bytes)),
            part=PART,
        ),
    )


def lower(op: Picking, _chosen: Candidate, function: str) -> Body:
    tables = tuple(
        ConstantArray(f"{function}_{name}", "uint16_t", taken.astype(np.uint16), f"the input's {name} that are copied")
        for name, taken in (("rows", op.rows), ("columns", op.columns))
    )
    falls = bool((np.diff(op.columns) < 0).any())
    return Body({"rows": tables[0].name, "columns": tables[1].name, "falls": int(falls)}, tables)


LOWERING = Lowering(candidates, lower)
