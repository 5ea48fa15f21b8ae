"""RESIZE_BILINEAR: which rows and columns each one sees, and how they weigh, stands in two small tables."""

from __future__ import annotations

import numpy as np

from ...graph import DType
from ...ops.resize_bilinear import ResizeBilinear, Taps
from ...target import Candidate
from ..program import ConstantArray
from .lowering import Body, Lowering, candidate

PER_PIXEL = 40
PER_VALUE, PER_VALUE_16 = 14, 22
TAP_BYTES = 4


def candidates(op: ResizeBilinear) -> tuple[Candidate, ...]:
    image, is_short = op.y.image, op.x.dtype is DType.INT16
    value = PER_VALUE_16 if is_short else PER_VALUE
    found = candidate(
        "te_resize_bilinear_16" if is_short else "te_resize_bilinear",
        weights=(image.rows + image.columns) * TAP_BYTES,
        instructions=image.rows * image.columns * PER_PIXEL + op.y.elements * value,
    )
    return (found,)


def lower(op: ResizeBilinear, _chosen: Candidate, function: str) -> Body:
    tables = (_table(f"{function}_rows", op.rows), _table(f"{function}_columns", op.columns))
    return Body({"rows": tables[0].name, "columns": tables[1].name, "ties_up": int(op.ties_up)}, tables)


def _table(name: str, taps: Taps) -> ConstantArray:
    values = np.stack(taps, axis=1).astype(np.uint16)
    return ConstantArray(name, "uint16_t", values, "the first of two of the input, the second's weight in 1/1024")


LOWERING = Lowering(candidates, lower)
