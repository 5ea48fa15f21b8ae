"""SOFTMAX: the exponentials of all possible differences become a table; of int16, there are two for all networks."""

from __future__ import annotations

import numpy as np

from ...arith import high_mul
from ...fixed_point import exp_on_negative_values
from ...graph import Array, DType, Rounding
from ...ops.softmax import Softmax, exponential_table, reciprocal_table
from ...target import Candidate, Form
from ..program import ConstantArray
from .lowering import Body, Lowering, Params, candidate
from .packing import safe_multiplier

PER_VALUE = 22
PER_LIVE_VALUE = 28  # beyond that: those whose exponential is not zero, of which the table tells how many there may be
PER_SHORT_VALUE = 44
PER_GROUP = 90
DIFFERENCES = 256  # of two bytes


def exponentials(op: Softmax) -> Array:
    """exp(0), exp(-1), ... in steps of the input's scale, as far as they count."""
    differences = -np.arange(min(256, 1 - op.smallest_difference()), dtype=np.int64)
    mantissa, shift = op.scale()
    return exp_on_negative_values(high_mul(differences << shift, mantissa))


def candidates(op: Softmax) -> tuple[Candidate, ...]:
    return (_short(op) if op.x.dtype is DType.INT16 else _long(op),)


def _long(op: Softmax) -> Candidate:
    table = exponentials(op)
    in_place = (0,) if op.y.dtype is op.x.dtype else ()
    value = PER_VALUE + PER_LIVE_VALUE * table.size / DIFFERENCES
    instructions = op.x.elements * value + _groups(op) * PER_GROUP
    return candidate("te_softmax", form=_form(op), in_place=in_place, weights=table.nbytes, instructions=instructions)


def _short(op: Softmax) -> Candidate:
    weights = exponential_table().nbytes + reciprocal_table().nbytes
    instructions = op.x.elements * PER_SHORT_VALUE + _groups(op) * PER_GROUP
    return candidate("te_softmax_16", form=_form(op), in_place=(0,), weights=weights, instructions=instructions)


def _form(op: Softmax) -> Form:
    return Form.STRIP if op.streams else Form.WHOLE


def _depth(op: Softmax) -> int:
    return op.x.shape[-1] if op.x.shape else 1


def _groups(op: Softmax) -> int:
    return op.x.elements // _depth(op)


def lower(op: Softmax, _chosen: Candidate, function: str) -> Body:
    sizes: Params = {"groups": op.x.image.channels // _depth(op), "depth": _depth(op)}
    return _lower_short(op, sizes, function) if op.x.dtype is DType.INT16 else _lower_long(op, sizes, function)


def _lower_long(op: Softmax, sizes: Params, function: str) -> Body:
    values = exponentials(op).astype(np.int32)
    table = ConstantArray(f"{function}_exponentials", "int32_t", values, "exp(-i * scale), Q0.31")
    head: Params = {"exponentials": table.name, "alive": len(values)}
    return Body({**head, **sizes, "result_bytes": op.y.dtype.size}, (table,))


def _lower_short(op: Softmax, sizes: Params, function: str) -> Body:
    tables = (
        ConstantArray(f"{function}_exponentials", "int16_t", exponential_table(), "exp of -10 ... 0, Q0.15"),
        ConstantArray(f"{function}_reciprocals", "int16_t", reciprocal_table(), "1 / (1 + x) of 0 ... 1, Q0.15"),
    )
    mantissa, shift = safe_multiplier(op.scale(), Rounding.DOUBLE)
    head: Params = {"exponentials": tables[0].name, "reciprocals": tables[1].name}
    return Body({**head, "mantissa": mantissa, "shift": shift, **sizes}, tables)


LOWERING = Lowering(candidates, lower)
