"""SOFTMAX: the exponentials of all possible differences become a table."""

from __future__ import annotations

import numpy as np

from ...arith import high_mul
from ...fixed_point import exp_on_negative_values
from ...graph import Array
from ...ops.softmax import Softmax
from ...target import Candidate, Form
from ..program import ConstantArray
from .lowering import Body, Lowering, Params, candidate

PER_VALUE = 22
PER_LIVE_VALUE = 28  # beyond that: those whose exponential is not zero, of which the table tells how many there may be
PER_GROUP = 90
DIFFERENCES = 256  # of two bytes


def exponentials(op: Softmax) -> Array:
    """exp(0), exp(-1), ... in steps of the input's scale, as far as they count."""
    differences = -np.arange(min(256, 1 - op.smallest_difference()), dtype=np.int64)
    mantissa, shift = op.scale()
    return exp_on_negative_values(high_mul(differences << shift, mantissa))


def candidates(op: Softmax) -> tuple[Candidate, ...]:
    depth = op.x.shape[-1] if op.x.shape else 1
    form = Form.STRIP if op.streams else Form.WHOLE
    table = exponentials(op)
    value = PER_VALUE + PER_LIVE_VALUE * table.size / DIFFERENCES
    instructions = op.x.elements * value + op.x.elements // depth * PER_GROUP
    return (candidate("te_softmax", form=form, in_place=(0,), weights=table.nbytes, instructions=instructions),)


def lower(op: Softmax, _chosen: Candidate, function: str) -> Body:
    values = exponentials(op).astype(np.int32)
    table = ConstantArray(f"{function}_exponentials", "int32_t", values, "exp(-i * scale), Q0.31")
    depth = op.x.shape[-1] if op.x.shape else 1
    params: Params = {
        "exponentials": table.name,
        "alive": len(values),
        "groups": op.x.pixel_bytes // depth,
        "depth": depth,
    }
    return Body(params, (table,))


LOWERING = Lowering(candidates, lower)
