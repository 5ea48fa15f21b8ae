"""BATCH_MATMUL, and layers whose weights are computed at run time: products of matrices that are not packed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arith import Multiplier
from ...graph import Clamp, DType, Op, Rounding, Tensor
from ...ops.batch_matmul import BatchMatMul
from ...target import Candidate, Form
from ..program import ConstantArray
from .axes import padded, steps
from .finish import FINISH_INSTRUCTIONS
from .lowering import Body, Lowering, Params, candidate, prefixed
from .packing import (
    CHANNEL_BYTES,
    FINISH_WIDE_INSTRUCTIONS,
    channel_table,
    kernel_shift,
    rounding_name,
    safe_multiplier,
)

AXES = 3  # of batches
PER_MAC, PER_MAC_16 = 3.0, 2.4
LARGEST_PRODUCT = 255 * 255


@dataclass(frozen=True)
class Operand:
    """A matrix [along, depth] for each batch, wherever its values lie."""

    tensor: Tensor
    batches: tuple[int, ...]
    along: int
    depth: int
    step: int
    depth_step: int


@dataclass(frozen=True)
class Product:
    """The output's rows follow operand `a`; its columns follow `b`, the constant if there is one."""

    a: Operand
    b: Operand
    y: Tensor
    y_row: int
    y_column: int


def operand(tensor: Tensor, swapped: bool) -> Operand:
    """`swapped`: the depth is the last axis but one."""
    *batches, rows, columns = tensor.shape
    if swapped:
        return Operand(tensor, tuple(batches), columns, rows, 1, columns)
    return Operand(tensor, tuple(batches), rows, columns, columns, 1)


def product_of(op: BatchMatMul) -> Product:
    left, right = operand(op.x, op.adj_x), operand(op.other, not op.adj_y)
    if op.x.is_constant:
        return Product(right, left, op.y, 1, right.along)
    return Product(left, right, op.y, right.along, 1)


def is_wide(tensor: Tensor) -> bool:
    return tensor.dtype is DType.INT16


def product_candidate(op: Op, product: Product) -> Candidate:
    constant = product.b.tensor.is_constant
    name = f"te_batch_matmul{'_constant' if constant else ''}{'_16' if is_wide(product.y) else ''}"
    per_mac, finish = (PER_MAC_16, FINISH_WIDE_INSTRUCTIONS) if is_wide(product.y) else (PER_MAC, FINISH_INSTRUCTIONS)
    return candidate(
        name,
        form=Form.WHOLE,
        inputs=len(op.activations),
        weights=CHANNEL_BYTES + (product.b.tensor.nbytes if constant else 0),
        instructions=op.macs * per_mac + product.y.elements * finish,
    )


@dataclass(frozen=True)
class Scaling:
    """From sums to the output."""

    multiplier: Multiplier
    rounding: Rounding
    clamp: Clamp
    bias: ConstantArray | None = None

    def largest(self, depth: int) -> int:
        biases = 0 if self.bias is None else int(np.abs(self.bias.values.astype(np.int64)).max(initial=0))
        return depth * LARGEST_PRODUCT + biases


def product_body(product: Product, scaling: Scaling, function: str) -> Body:
    table, output = _output_16(scaling, function) if is_wide(product.y) else _output(product, scaling, function)
    values: Params = {**prefixed("product", _product_params(product)), **output}
    constants = [table] if scaling.bias is None else [table, scaling.bias]
    b = product.b.tensor
    if b.data is None:
        return Body(prefixed("values", values), tuple(constants))
    ctype = "int16_t" if is_wide(b) else "int8_t"
    constants.append(ConstantArray(f"{function}_constant", ctype, b.data, "as in the file"))
    return Body({"constant": constants[-1].name, **prefixed("values", values)}, tuple(constants))


def _product_params(product: Product) -> Params:
    a, b = product.a, product.b
    return {
        "batches": padded(np.broadcast_shapes(a.batches, b.batches), AXES, 1),
        "a_batch": _batch_steps(a),
        "b_batch": _batch_steps(b),
        "rows": a.along,
        "depth": a.depth,
        "columns": b.along,
        "a_row": a.step,
        "a_depth": a.depth_step,
        "b_column": b.step,
        "b_depth": b.depth_step,
        "y_row": product.y_row,
        "y_column": product.y_column,
    }


def _batch_steps(side: Operand) -> tuple[int, ...]:
    own = padded(side.batches, AXES, 1)
    found = (step * side.along * side.depth for step in steps(own))
    return tuple(step if n > 1 else 0 for n, step in zip(own, found, strict=True))


def _output(product: Product, scaling: Scaling, function: str) -> tuple[ConstantArray, Params]:
    mantissa, shift = safe_multiplier(scaling.multiplier, scaling.rounding)
    shift = kernel_shift(shift, scaling.rounding, scaling.largest(product.a.depth))
    table = channel_table(function, np.array([0, mantissa, shift], np.int32), "nothing, mantissa and shift")
    params: Params = {
        "a_zero": product.a.tensor.zero_point,
        "b_zero": product.b.tensor.zero_point,
        "bias": "NULL" if scaling.bias is None else scaling.bias.name,
        "output.channels": table.name,
        "output.zero": product.y.zero_point,
        "output.low": scaling.clamp.low,
        "output.high": scaling.clamp.high,
        "output.rounding": rounding_name((shift,), scaling.rounding),
    }
    return table, params


def _output_16(scaling: Scaling, function: str) -> tuple[ConstantArray, Params]:
    mantissa, shift = scaling.multiplier
    values = np.array([0, 0, mantissa, 15 - shift], np.int32)
    table = channel_table(function, values, "nothing, mantissa and shift")
    params: Params = {
        "output.channels": table.name,
        "output.low": scaling.clamp.low,
        "output.high": scaling.clamp.high,
        "output.rounding": "TE_WIDE",
    }
    return table, params


def candidates(op: BatchMatMul) -> tuple[Candidate, ...]:
    return (product_candidate(op, product_of(op)),)


def lower(op: BatchMatMul, _chosen: Candidate, function: str) -> Body:
    scaling = Scaling(op.multiplier(), op.rounding, Clamp(*op.y.dtype.bounds))
    return product_body(product_of(op), scaling, function)


LOWERING = Lowering(candidates, lower)
