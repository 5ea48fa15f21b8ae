"""LOGISTIC and TANH: a table of bytes, or of int16 between whose entries values are interpolated."""

from __future__ import annotations

import numpy as np

from ...fixed_point import SIGMOIDS
from ...graph import DType
from ...ops.logistic import SigmoidOp, Tanh
from ...target import Candidate
from ..program import ConstantArray
from . import elementwise
from .lowering import Body, Lowering, Params, candidate

PER_VALUE = 21


def candidates(op: SigmoidOp) -> tuple[Candidate, ...]:
    if op.x.dtype is not DType.INT16:
        return elementwise.candidates(op)
    instructions = op.y.elements * PER_VALUE
    found = candidate("te_curve16", in_place=(0,), weights=2 * len(SIGMOIDS), instructions=instructions)
    return (found,)


def lower(op: SigmoidOp, chosen: Candidate, function: str) -> Body:
    if chosen.kernel != "te_curve16":
        return elementwise.lower(op, chosen, function)
    table = ConstantArray(f"{function}_sigmoids", "uint16_t", np.array(SIGMOIDS, np.uint16), "of i / 24, Q0.16")
    factor, shift = op.table_scale()
    params: Params = {"table": table.name, "factor": factor, "shift": shift, "tanh": int(isinstance(op, Tanh))}
    return Body(params, (table,))


LOWERING = Lowering(candidates, lower)
