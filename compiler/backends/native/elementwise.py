"""RELU, LOGISTIC, ELU, QUANTIZE...: any function of one 8-bit value, as a table or as two bounds."""

from __future__ import annotations

import numpy as np

from ...graph import Array, DType, Op
from ...target import Candidate
from ..program import ConstantArray
from .lowering import Body, Lowering, candidate

BYTES = (DType.INT8, DType.UINT8, DType.BOOL)
TABLE_INSTRUCTIONS = 3.5
LIMIT_INSTRUCTIONS = 6.5
PART = 90


def table(op: Op) -> Array:
    """The operator's own reference on all 256 values, in the order of their bit patterns."""
    values = np.arange(256, dtype=np.uint8).view(op.activations[0].dtype.numpy)
    inputs = [None if t is None else values if t.data is None else t.data for t in op.inputs]
    return op.reference(inputs)[0].reshape(-1)


def is_limit(op: Op) -> bool:
    """Does it only clamp?"""
    values = table(op)
    same = np.arange(256, dtype=np.uint8).view(np.int8)
    return op.y.dtype is op.activations[0].dtype is DType.INT8 and bool(
        (values == np.clip(same, values.min(), values.max())).all()
    )


def candidates(op: Op) -> tuple[Candidate, ...]:
    if op.activations[0].dtype not in BYTES or op.y.dtype not in BYTES:
        return ()
    if is_limit(op):
        return (candidate("te_limit", in_place=(0,), instructions=op.y.elements * LIMIT_INSTRUCTIONS, part=PART),)
    instructions = op.y.elements * TABLE_INSTRUCTIONS
    return (candidate("te_lut", in_place=(0,), weights=256, instructions=instructions, part=PART),)


def lower(op: Op, chosen: Candidate, function: str) -> Body:
    values = table(op)
    if chosen.kernel == "te_limit":
        return Body({"low": int(values.min()), "high": int(values.max())})
    constant = ConstantArray(f"{function}_table", "uint8_t", values.view(np.uint8), "by bit pattern of the input")
    return Body({"table": constant.name}, (constant,))


LOWERING = Lowering(candidates, lower)
