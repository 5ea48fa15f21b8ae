"""READ_VARIABLE and ASSIGN_VARIABLE: copies between the arena and the model's struct."""

from __future__ import annotations

from ...ops.variables import AssignVariable, ReadVariable
from ...target import Candidate, Form
from .copies import copy_instructions
from .lowering import CALL, Body, Lowering, Params, candidate


def _offer(kernel: str, form: Form, nbytes: int) -> tuple[Candidate, ...]:
    return (candidate(kernel, form=form, instructions=CALL + copy_instructions(nbytes)),)


def read_candidates(op: ReadVariable) -> tuple[Candidate, ...]:
    return _offer("te_read", Form.STRIP, op.y.nbytes)


def assign_candidates(op: AssignVariable) -> tuple[Candidate, ...]:
    """The state takes the input in strips; nothing else comes of it."""
    return _offer("te_assign", Form.SINK, op.taken.size * op.x.dtype.size)


def lower_read(op: ReadVariable, _chosen: Candidate, _function: str) -> Body:
    first = op.part.start * op.y.dtype.size if op.part is not None else 0
    return Body({"first": first, "row_bytes": op.y.row_bytes}, variables=(op.variable,))


def lower_assign(op: AssignVariable, _chosen: Candidate, _function: str) -> Body:
    first, last = (place * op.x.dtype.size for place in op.taken)
    params: Params = {"row_bytes": op.x.row_bytes, "first": first, "last": last}
    return Body(params, variables=(op.variable,))


READ_LOWERING = Lowering(read_candidates, lower_read)
ASSIGN_LOWERING = Lowering(assign_candidates, lower_assign)
