"""L2_NORMALIZATION of vectors."""

from __future__ import annotations

from ...ops.rsqrt import L2Normalization
from ...target import Candidate, Form
from .lowering import Body, Lowering, candidate

PER_VALUE = 26
PER_GROUP = 260


def candidates(op: L2Normalization) -> tuple[Candidate, ...]:
    form = Form.STRIP if op.streams else Form.WHOLE
    instructions = op.x.elements * PER_VALUE + op.x.elements // op.x.shape[-1] * PER_GROUP
    return (candidate("te_l2_norm", form=form, in_place=(0,), instructions=instructions),)


def lower(op: L2Normalization, _chosen: Candidate, _function: str) -> Body:
    depth = op.x.shape[-1]
    return Body({"zero": op.x.zero_point, "groups": op.x.pixel_bytes // depth, "depth": depth})


LOWERING = Lowering(candidates, lower)
