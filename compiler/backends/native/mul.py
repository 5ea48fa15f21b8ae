"""MUL: whatever broadcasts along rows, columns or channels strip by strip, anything else whole."""

from __future__ import annotations

import numpy as np

from ...graph import Tensor
from ...ops.mul import Mul
from ...target import Candidate
from ..program import ConstantArray, ParamValue
from .broadcast import Prices, are_images, axis_params, broadcast_candidate, image_shape, is_walkable, operands
from .lowering import Body, Lowering, prefixed
from .packing import rounding_name, safe_multiplier

PRICES = {
    "te_mul": Prices(17, 17),
    "te_mul_broadcast": Prices(17, 15.5, 20),
    "te_mul_broadcast_constant": Prices(17, 15.5, 20),
    "te_mul_constant": Prices(17, 15.5, 7),
    "te_mul_image": Prices(17, 15.5, 7),
}


def kernel_name(op: Mul) -> str:
    b, images = operands(op).b, are_images(op)
    if b.is_constant:
        return "te_mul_constant" if images else "te_mul_broadcast_constant"
    if not op.broadcasts:
        return "te_mul"
    return "te_mul_image" if images else "te_mul_broadcast"


def candidates(op: Mul) -> tuple[Candidate, ...]:
    if not is_walkable(op):
        return ()
    kernel = kernel_name(op)
    return (broadcast_candidate(op, kernel, PRICES[kernel]),)


def lower(op: Mul, chosen: Candidate, function: str) -> Body:
    product = prefixed("product", product_params(op))
    if chosen.kernel in ("te_mul", "te_mul_image"):
        return Body(product)
    if chosen.kernel == "te_mul_broadcast":
        return Body({**prefixed("axes", axis_params(op)), **product})
    constant = operands(op).b
    assert constant.data is not None
    table = ConstantArray(f"{function}_constant", "int8_t", constant.data.astype(np.int8), "the constant operand")
    params: dict[str, ParamValue] = {"constant": table.name}
    if chosen.kernel == "te_mul_constant":
        return Body({**params, **step_params(constant, op.y), **product}, (table,))
    whole = {**prefixed("axes", axis_params(op)), **product}
    return Body({**params, **prefixed("mul", whole)}, (table,))


def product_params(op: Mul) -> dict[str, ParamValue]:
    """Members of te_product_t. Products stay below 2^16, which every rounding takes."""
    a, b = operands(op)
    mantissa, shift = safe_multiplier(op.scale(), op.rounding)
    return {
        "zero_a": a.zero_point,
        "zero_b": b.zero_point,
        "mantissa": mantissa,
        "shift": shift,
        "output.zero": op.y.zero_point,
        "output.low": op.clamp.low,
        "output.high": op.clamp.high,
        "output.rounding": rounding_name((shift,), op.rounding),
    }


def step_params(constant: Tensor, y: Tensor) -> dict[str, ParamValue]:
    """How te_mul_constant walks through its constant."""
    image = image_shape(constant, y)
    assert image is not None
    return {
        "row_step": image.columns * image.channels if image.rows > 1 else 0,
        "column_step": image.channels if image.columns > 1 else 0,
        "step": int(image.channels > 1),
    }


LOWERING = Lowering(candidates, lower)
