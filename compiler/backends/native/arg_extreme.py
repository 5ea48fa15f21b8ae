"""ARG_MAX and ARG_MIN: of the channels of each pixel row by row, along any other axis whole."""

from __future__ import annotations

from math import prod

from ...ops.arg_extreme import ArgExtreme, ArgMin
from ...target import Candidate, Form
from ..program import ParamValue
from .lowering import Body, Lowering, candidate, prefixed

PER_VALUE = 6
PER_FAR_VALUE = 9.5  # where the next is not beside it
PER_RESULT = 12


def candidates(op: ArgExtreme) -> tuple[Candidate, ...]:
    value = PER_VALUE if _is_last(op) else PER_FAR_VALUE
    instructions = op.x.elements * value + op.y.elements * PER_RESULT
    found = [candidate("te_arg_rows", instructions=instructions)] if op.by_row and _is_last(op) else []
    found.append(candidate("te_arg_axis", form=Form.WHOLE, instructions=instructions))
    return tuple(found)


def _is_last(op: ArgExtreme) -> bool:
    return op.axis == len(op.x.shape) - 1


def lower(op: ArgExtreme, chosen: Candidate, _function: str) -> Body:
    arg: dict[str, ParamValue] = {"smallest": int(isinstance(op, ArgMin)), "index_bytes": op.y.dtype.size}
    if chosen.kernel == "te_arg_rows":
        return Body(arg)
    shape, axis = op.x.shape, op.axis
    sizes: dict[str, ParamValue] = {
        "before": prod(shape[:axis]),
        "size": shape[axis],
        "after": prod(shape[axis + 1 :]),
    }
    return Body({**prefixed("arg", arg), **sizes})


LOWERING = Lowering(candidates, lower)
