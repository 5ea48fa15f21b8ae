"""FULLY_CONNECTED: a matrix product with few rows."""

from __future__ import annotations

import numpy as np

from ...arith import Multiplier
from ...graph import DType
from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from ..program import ConstantArray
from .batch_matmul import Operand, Product, Scaling, product_body, product_candidate
from .finish import layer_finish_instructions
from .lowering import Body, Lowering, candidate, prefixed
from .packing import (
    FINISH_WIDE_INSTRUCTIONS,
    PER_WIDE_MAC,
    differences,
    matrix,
    summed_instructions,
    weight_bytes,
)

PER_MAC = 2.55  # of four outputs together
PER_MAC_ALONE = 5.1
TOGETHER = 4


def candidates(op: FullyConnected) -> tuple[Candidate, ...]:
    if not op.weights.is_constant:
        return (product_candidate(op, _product(op)),)
    if op.x.dtype is DType.INT16:
        instructions = op.macs * PER_WIDE_MAC + op.y.elements * FINISH_WIDE_INSTRUCTIONS
        return (_candidate("te_fully_connected_16", op, instructions),)
    instructions = op.batches * op.depth * products_of_one(op.channels)
    instructions += op.y.elements * layer_finish_instructions(op) + summed_instructions(op, op.x.elements)
    return (_candidate("te_fully_connected", op, instructions),)


def products_of_one(channels: int) -> float:
    """Instructions for each input of a pixel, as te_matrix_1 takes them."""
    alone = channels % TOGETHER
    return (channels - alone) * PER_MAC + alone * PER_MAC_ALONE


def _candidate(kernel: str, op: FullyConnected, instructions: float) -> Candidate:
    return candidate(kernel, form=Form.WHOLE, weights=weight_bytes(op), instructions=instructions)


def lower(op: FullyConnected, _chosen: Candidate, function: str) -> Body:
    if not op.weights.is_constant:
        return _lower_at_run_time(op, function)
    packed = matrix(op, differences(op), function, "[outputs][inputs]")
    return Body({"batches": op.batches, **prefixed("matrix", packed.params)}, packed.constants)


def _product(op: FullyConnected) -> Product:
    rows = Operand(op.x, (), op.batches, op.depth, op.depth, 1)
    return Product(rows, Operand(op.weights, (), op.channels, op.depth, op.depth, 1), op.y, op.channels, 1)


def _lower_at_run_time(op: FullyConnected, function: str) -> Body:
    bias = None
    if op.bias is not None:
        bias = ConstantArray(f"{function}_bias", "int32_t", op.bias_values().astype(np.int32), "of each output")
    multiplier = Multiplier(*(int(values[0]) for values in op.multipliers()))
    return product_body(_product(op), Scaling(multiplier, op.rounding, op.clamp, bias), function)


LOWERING = Lowering(candidates, lower)
