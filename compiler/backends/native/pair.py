"""ADD, MUL, MAXIMUM, PRELU...: any function of two values that broadcast.

What repeats along rows, columns or channels is computed strip by strip, other ways of broadcasting whole; one number
on one side makes it a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arith import Multiplier
from ...graph import Array, Clamp, DType, Rounding, Tensor
from ...ops.add import Add, SquaredDifference, Sub
from ...ops.broadcast import PairOp, image_shape
from ...ops.comparison import ComparisonOp, LogicalOp, LogicalOr
from ...ops.maximum import ExtremeOp, Maximum
from ...ops.mul import Mul
from ...ops.prelu import Prelu
from ...target import Candidate
from ..program import ConstantArray, ParamValue
from . import elementwise
from .broadcast import Prices, are_images, axis_params, broadcast_candidate, is_walkable, operands
from .finish import FINISH_INSTRUCTIONS, bounded_instructions, finish_instructions
from .linear import Linear, linear_form
from .lowering import Body, Lowering, Params, prefixed
from .packing import kernel_shift, rounding_name, safe_multiplier

PIXEL = {"te_pair": 0, "te_pair_image": 6, "te_pair_constant": 7}
ANY_PIXEL = 20
UNROLLED = 8  # values of a loop, as TE_UNROLL says
BYTE = (-128, 127)
NOTHING, NO_FORM = Multiplier(0, 0), Linear(0, 0, 0, 0)
CTYPES = {1: "int8_t", 2: "int16_t"}


@dataclass(frozen=True)
class Function:
    """What te_pair_t says of an operator: its kind, its scales, and how large gets what the last of them is for."""

    kind: str
    value: float  # instructions of one
    repeated: float  # if one operand is the same for all channels
    a: Multiplier = NOTHING
    b: Multiplier = NOTHING
    out: Multiplier = NOTHING
    left: int = 0
    largest: int = 0
    linear: Linear = NO_FORM


def _sum(op: Add | Sub) -> Function:
    form, scales = linear_form(op), op.scales()
    bounded = bounded_instructions(op.clamp)
    if form is not None:
        return Function("TE_PAIR_LINEAR", 11 + bounded, 6.5 + bounded, out=Multiplier(0, form.shift), linear=form)
    kind = "TE_PAIR_SUM" if isinstance(op, Add) else "TE_PAIR_DIFFERENCE"
    value, repeated = (23, 15) if op.rounding is Rounding.SINGLE else (36, 22)
    return Function(kind, value + bounded, repeated + bounded, scales.a, scales.b, scales.out, op.left_shift)


def _square(op: SquaredDifference) -> Function:
    scales, largest = op.scales(), 1 << 30 if op.x.dtype is DType.INT16 else (255 << 7) ** 2
    return Function("TE_PAIR_SQUARED_DIFFERENCE", 37, 24, scales.a, scales.b, scales.out, op.left_shift, largest)


def _product(op: Mul) -> Function:
    scale = op.scale()
    if op.x.dtype is DType.INT16:
        value: float = 16 if op.rounding is Rounding.SINGLE else 22
    else:
        value = 17 + _one_factor(scale, op.rounding) + bounded_instructions(op.clamp)
    return Function("TE_PAIR_PRODUCT", value, value - 1.5, out=scale, largest=1 << 16)


def _one_factor(scale: Multiplier, rounding: Rounding) -> float:
    """What it takes more than the usual one; the compiler knows it, as it does not those of a table."""
    if rounding is Rounding.DOUBLE:
        return finish_instructions([scale.shift], rounding) - FINISH_INSTRUCTIONS
    return 4 if scale.shift >= 0 else -3


def _prelu(op: Prelu) -> Function:
    return Function("TE_PAIR_PRELU", 22.5, 21, a=op.positive_scale(), out=op.scale(), largest=1 << 16)


def _extreme(op: ExtremeOp | LogicalOp) -> Function:
    larger = isinstance(op, (Maximum, LogicalOr))
    return Function("TE_PAIR_MAXIMUM" if larger else "TE_PAIR_MINIMUM", 8, 7.5)


def _comparison(op: ComparisonOp) -> Function:
    a, b = op.scales()
    return Function(f"TE_PAIR_{op.kind}", 38, 24, a, b, left=op.left_shift)


FUNCTIONS: Mapping[Any, Callable[[Any], Function]] = {
    Add: _sum,
    Sub: _sum,
    SquaredDifference: _square,
    Mul: _product,
    Prelu: _prelu,
    ExtremeOp: _extreme,
    ComparisonOp: _comparison,
    LogicalOp: _extreme,
}


def function_of(op: PairOp) -> Function:
    return next(make(op) for kind, make in FUNCTIONS.items() if isinstance(op, kind))


def kernel_name(op: PairOp) -> str:
    b, images = operands(op).b, are_images(op)
    if b.is_constant:
        return "te_pair_constant" if images else "te_pair_broadcast_constant"
    if not op.broadcasts:
        return "te_pair"
    return "te_pair_image" if images else "te_pair_broadcast"


def is_table(op: PairOp) -> bool:
    """Does only one operand vary, in bytes?"""
    a, b = operands(op)
    return b.is_constant and b.elements == 1 and a.shape == op.y.shape and a.dtype is DType.INT8


def candidates(op: PairOp) -> tuple[Candidate, ...]:
    if not is_walkable(op):
        return ()
    if is_table(op):
        return tuple(replace(c, in_place=(op.inputs.index(operands(op).a),)) for c in elementwise.candidates(op))
    kernel, function = kernel_name(op), function_of(op)
    value = function.repeated - 1 if _is_unrolled(op, function) else function.value
    prices = Prices(value, function.repeated, PIXEL.get(kernel, ANY_PIXEL))
    return (broadcast_candidate(op, kernel, prices),)


def _is_unrolled(op: PairOp, function: Function) -> bool:
    """Does the compiler know the constant of each channel?"""
    b = operands(op).b
    return b.is_constant and function.linear != NO_FORM and b.elements == op.y.image.channels <= UNROLLED


def lower(op: PairOp, chosen: Candidate, function: str) -> Body:
    if chosen.kernel in ("te_lut", "te_limit"):
        return elementwise.lower(op, chosen, function)
    pair = prefixed("pair", pair_params(op))
    whole: Params = {**prefixed("axes", axis_params(op)), **pair} if "broadcast" in chosen.kernel else pair
    b = operands(op).b
    if not b.is_constant:
        return Body(pair_params(op) if chosen.kernel == "te_pair" else whole)
    assert b.data is not None
    table = ConstantArray(f"{function}_constant", CTYPES[b.dtype.size], _integers(b), "the constant operand")
    params: dict[str, ParamValue] = {"constant": table.name}
    if chosen.kernel == "te_pair_constant":
        return Body({**params, **step_params(b, op.y), **whole}, (table,))
    return Body({**params, **prefixed("broadcast", whole)}, (table,))


def pair_params(op: PairOp) -> Params:
    """Members of te_pair_t."""
    function, rounding = function_of(op), getattr(op, "rounding", Rounding.DOUBLE)
    out = safe_multiplier(function.out, rounding)
    shift = kernel_shift(out.shift, rounding, function.largest)
    low, high = getattr(op, "clamp", Clamp(*BYTE))
    return {
        "kind": function.kind,
        "bytes": op.x.dtype.size,
        "swapped": int(op.x.is_constant),
        "left": function.left,
        **prefixed("a", _operand_params(op.x, function.a, function.linear.weight_a, rounding)),
        **prefixed("b", _operand_params(op.b, function.b, function.linear.weight_b, rounding)),
        "offset": function.linear.offset,
        "mantissa": out.mantissa,
        "shift": shift,
        "output.zero": op.y.quant.zero_point if op.y.quant is not None else 0,
        "output.low": low,
        "output.high": high,
        "output.rounding": rounding_name((shift, function.a.shift if isinstance(op, Prelu) else shift), rounding),
    }


def _operand_params(tensor: Tensor, multiplier: Multiplier, weight: int, rounding: Rounding) -> Params:
    scale = safe_multiplier(multiplier, rounding)
    zero = tensor.quant.zero_point if tensor.quant is not None else 0
    return {"zero": zero, "mantissa": scale.mantissa, "shift": scale.shift, "weight": weight}


def step_params(constant: Tensor, y: Tensor) -> Params:
    """How te_pair_constant walks through its constant."""
    image, size = image_shape(constant, y), constant.dtype.size
    assert image is not None
    return {
        "row_step": image.columns * image.channels * size if image.rows > 1 else 0,
        "column_step": image.channels * size if image.columns > 1 else 0,
        "step": int(image.channels > 1),
    }


def _integers(tensor: Tensor) -> Array:
    assert tensor.data is not None
    return tensor.data.view(np.int8) if tensor.dtype is DType.BOOL else tensor.data


LOWERING = Lowering(candidates, lower)
