"""CUMSUM of a whole tensor."""

from __future__ import annotations

from math import prod

from ...graph import Rounding
from ...ops.cumsum import CumSum
from ...target import Candidate, Form
from .lowering import Body, Lowering, candidate
from .packing import safe_multiplier

PER_VALUE = 22
PER_SUM = 12


def candidates(op: CumSum) -> tuple[Candidate, ...]:
    assert op.axis is not None
    work = op.x.elements * PER_VALUE + op.x.elements // op.x.shape[op.axis] * PER_SUM
    return (candidate("te_cumsum", form=Form.WHOLE, in_place=(0,), instructions=work),)


def lower(op: CumSum, _chosen: Candidate, _function: str) -> Body:
    assert op.axis is not None
    mantissa, shift = safe_multiplier(op.scale(), Rounding.DOUBLE)
    return Body(
        {
            "before": prod(op.x.shape[: op.axis]),
            "size": op.x.shape[op.axis],
            "after": prod(op.x.shape[op.axis + 1 :]),
            "exclusive": int(op.exclusive),
            "reverse": int(op.reverse),
            "in_zero": op.x.zero_point,
            "mantissa": mantissa,
            "shift": shift,
            "out_zero": op.y.zero_point,
        }
    )


LOWERING = Lowering(candidates, lower)
