"""SELECT_V2 and SELECT of images."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from ...graph import DType, Tensor
from ...ops.broadcast import image_shape
from ...ops.select import SelectV2
from ...target import Candidate
from ..program import ConstantArray, ParamValue
from .lowering import Body, Lowering, Params, candidate, prefixed

ROLES = ("condition", "yes", "no")
PER_VALUE = 8
PER_PIXEL = 7


def candidates(op: SelectV2) -> tuple[Candidate, ...]:
    image = op.y.image
    instructions = op.y.elements * PER_VALUE + image.rows * image.columns * PER_PIXEL
    in_place = tuple(
        i for i, t in enumerate(op.operands) if not t.is_constant and t.shape == op.y.shape and t.dtype is op.y.dtype
    )
    weights = sum(t.nbytes for t in op.constants)
    inputs = len(op.activations)
    found = candidate("te_select", inputs=inputs, in_place=in_place, weights=weights, instructions=instructions)
    return (found,)


def lower(op: SelectV2, _chosen: Candidate, function: str) -> Body:
    numbers = accumulate((not t.is_constant for t in op.operands), initial=0)
    named = list(zip(ROLES, op.operands, strict=True))
    tables = {role: _table(f"{function}_{role}", t) for role, t in named if t.is_constant}
    params: dict[str, ParamValue] = {}
    for (role, tensor), number in zip(named, numbers, strict=False):
        name = tables[role].name if role in tables else "NULL"
        params |= prefixed(role, {"constant": name, **_operand_params(tensor, op.y, number)})
    return Body(params, tuple(tables.values()), many_inputs=True)


def _operand_params(tensor: Tensor, y: Tensor, number: int) -> Params:
    image = image_shape(tensor, y)
    assert image is not None
    return {"source": 0 if tensor.is_constant else number, **image._asdict(), "bytes": tensor.dtype.size}


def _table(name: str, tensor: Tensor) -> ConstantArray:
    assert tensor.data is not None
    values = tensor.data.view(np.int8) if tensor.dtype is DType.BOOL else tensor.data
    return ConstantArray(name, f"{values.dtype.name}_t", values, "a constant operand")


LOWERING = Lowering(candidates, lower)
