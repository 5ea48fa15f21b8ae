"""LOG_SOFTMAX: the exponentials of all possible differences become a table."""

from __future__ import annotations

import numpy as np

from ...arith import rescale, round_shift
from ...fixed_point import exp_on_negative_values
from ...graph import Array, Rounding
from ...ops.log_softmax import SUM_BITS, LogSoftmax
from ...target import Candidate, Form
from ..program import ConstantArray
from .lowering import Body, Lowering, Params, candidate
from .packing import safe_multiplier

PER_VALUE = 42
PER_GROUP = 250


def exponentials(op: LogSoftmax) -> Array:
    """exp(0), exp(-1), ... in steps of the input's scale, as far as they count."""
    differences = -np.arange(min(256, 1 - op.smallest_difference()), dtype=np.int64)
    return round_shift(exp_on_negative_values(rescale(differences, *op.scale())), SUM_BITS)


def candidates(op: LogSoftmax) -> tuple[Candidate, ...]:
    form = Form.STRIP if op.streams else Form.WHOLE
    instructions = op.x.elements * PER_VALUE + op.x.elements // op.x.shape[-1] * PER_GROUP
    weights = 4 * exponentials(op).size
    return (candidate("te_log_softmax", form=form, in_place=(0,), weights=weights, instructions=instructions),)


def lower(op: LogSoftmax, _chosen: Candidate, function: str) -> Body:
    values = exponentials(op).astype(np.int32)
    table = ConstantArray(f"{function}_exponentials", "int32_t", values, "exp(-i * scale), Q12.19")
    scale, back = (safe_multiplier(m, Rounding.DOUBLE) for m in (op.scale(), op.reverse_scale()))
    depth = op.x.shape[-1]
    params: Params = {
        "exponentials": table.name,
        "alive": 1 - op.smallest_difference(),
        "mantissa": scale.mantissa,
        "shift": scale.shift,
        "back_mantissa": back.mantissa,
        "back_shift": back.shift,
        "groups": op.x.pixel_bytes // depth,
        "depth": depth,
    }
    return Body(params, (table,))


LOWERING = Lowering(candidates, lower)
