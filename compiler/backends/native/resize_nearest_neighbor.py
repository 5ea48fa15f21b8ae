"""RESIZE_NEAREST_NEIGHBOR: which row and column each one copies stands in two small tables."""

from __future__ import annotations

import numpy as np

from ...ops.resize_nearest_neighbor import ResizeNearestNeighbor
from ...target import Candidate
from ..program import ConstantArray
from .copies import copy_instructions
from .lowering import Body, Lowering, candidate

PER_PIXEL = 6
PART = 5
INDEX_BYTES = 2


def candidates(op: ResizeNearestNeighbor) -> tuple[Candidate, ...]:
    image = op.y.image
    return (
        candidate(
            "te_resize_nearest",
            weights=(image.rows + image.columns) * INDEX_BYTES,
            instructions=image.rows * image.columns * (PER_PIXEL + copy_instructions(op.y.pixel_bytes)),
            part=PART,
        ),
    )


def lower(op: ResizeNearestNeighbor, _chosen: Candidate, function: str) -> Body:
    tables = tuple(
        ConstantArray(f"{function}_{name}", "uint16_t", taken.astype(np.uint16), f"the input's {name} that are copied")
        for name, taken in (("rows", op.rows), ("columns", op.columns))
    )
    return Body({"rows": tables[0].name, "columns": tables[1].name}, tables)


LOWERING = Lowering(candidates, lower)
