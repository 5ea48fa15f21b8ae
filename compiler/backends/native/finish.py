"""What it takes to make a byte of an accumulator: more for large factors, and for bounds other than a byte's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...graph import Array, Clamp, Rounding
from ...ops.scaled import ScaledOp

BYTE = Clamp(-128, 127)
FINISH_INSTRUCTIONS = 16  # and to store it
FINISH_AWAY_INSTRUCTIONS = 45
LESS_IF_ONCE = 2  # rounded
BOUNDED = 5  # more, with other bounds
LEFT = 32  # more, where the factor is 1/2 or more: te_rescale_rest
LEFT_ONCE = 24  # the same of all outputs of a table, if one of its factors is


def bounded_instructions(clamp: Clamp) -> float:
    return 0 if clamp == BYTE else BOUNDED


def finish_instructions(shifts: Sequence[int] | Array, rounding: Rounding, clamp: Clamp = BYTE) -> float:
    """On average over these factors."""
    left = np.asarray(shifts) >= 0
    if rounding is Rounding.DOUBLE:
        extra = LEFT * float(left.mean()) if left.size else 0
    else:
        extra = LEFT_ONCE if left.any() else -LESS_IF_ONCE
    return FINISH_INSTRUCTIONS + extra + bounded_instructions(clamp)


def layer_finish_instructions(op: ScaledOp) -> float:
    """Of a layer on bytes, for each output."""
    if op.rounding is Rounding.AWAY:
        return FINISH_AWAY_INSTRUCTIONS
    return finish_instructions(op.multipliers()[1], op.rounding, op.clamp)
