"""ADD: what repeats along rows, columns or channels strip by strip, other ways of broadcasting whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arith import Multiplier
from ...graph import Array, Tensor
from ...ops.add import Add
from ...target import Candidate
from ..program import ConstantArray, ParamValue
from .broadcast import Prices, are_images, axis_params, broadcast_candidate, is_walkable
from .linear import linear_form
from .lowering import Body, Lowering, Params, prefixed
from .packing import rounding_name, safe_multiplier

PRICES = {
    "te_add": Prices(30.5, 30.5),
    "te_add_broadcast": Prices(31, 22.5, 20),
    "te_add_broadcast_constant": Prices(38, 23, 20),
    "te_add_constant": Prices(42, 22),
    "te_add_image": Prices(31, 22.5, 6),
    "te_add_linear": Prices(7.75, 7.75),
}


@dataclass(frozen=True)
class Operand:
    tensor: Tensor
    scale: Multiplier


def operands(op: Add) -> tuple[Operand, Operand]:
    """In the order of the kernels: a constant comes second."""
    scales = op.scales()
    pair = Operand(op.x, scales.a), Operand(op.b, scales.b)
    return (pair[1], pair[0]) if op.x.is_constant else pair


def repeats(constant: Tensor, shape: tuple[int, ...]) -> Array | None:
    """The values of a constant that simply repeat over `shape`, if it is so."""
    assert constant.data is not None
    trimmed = list(constant.shape)
    while trimmed and trimmed[0] == 1:
        del trimmed[0]
    fits = tuple(trimmed) == shape[len(shape) - len(trimmed) :]
    return constant.data.reshape(-1) if fits else None


def kernel_name(op: Add) -> str:
    b = operands(op)[1].tensor
    if b.is_constant:
        runs = operands(op)[0].tensor.shape == op.y.shape and repeats(b, op.y.shape) is not None
        return "te_add_constant" if runs else "te_add_broadcast_constant"
    if not op.broadcasts:
        return "te_add_linear" if linear_form(op) else "te_add"
    return "te_add_image" if are_images(op) else "te_add_broadcast"


def candidates(op: Add) -> tuple[Candidate, ...]:
    if not is_walkable(op):
        return ()
    kernel = kernel_name(op)
    return (broadcast_candidate(op, kernel, PRICES[kernel]),)


def lower(op: Add, chosen: Candidate, function: str) -> Body:
    b = operands(op)[1].tensor
    if chosen.kernel == "te_add_linear":
        return Body(_linear_params(op))
    total = prefixed("sum", sum_params(op))
    if chosen.kernel in ("te_add", "te_add_image"):
        return Body(total)
    whole = {**prefixed("axes", axis_params(op)), **total}
    if chosen.kernel == "te_add_broadcast":
        return Body(whole)
    values = repeats(b, op.y.shape) if chosen.kernel == "te_add_constant" else b.data
    assert values is not None
    table = ConstantArray(f"{function}_constant", "int8_t", values.astype(np.int8), "the constant operand")
    if chosen.kernel == "te_add_constant":
        params: Params = {"constant": table.name, "period": table.values.size}
        return Body({**params, **total}, (table,))
    return Body({"constant": table.name, **prefixed("add", whole)}, (table,))


def _linear_params(op: Add) -> dict[str, ParamValue]:
    form = linear_form(op)
    assert form is not None
    return {**form._asdict(), "low": op.clamp.low, "high": op.clamp.high}


def sum_params(op: Add) -> dict[str, ParamValue]:
    """Members of te_sum_t. Sums stay below 255 << 21, which every rounding takes."""
    a, b = operands(op)
    out = safe_multiplier(op.scales().out, op.rounding)
    shifts = (a.scale.shift, b.scale.shift, out.shift)
    return {
        **prefixed("a", _operand_params(a)),
        **prefixed("b", _operand_params(b)),
        "mantissa": out.mantissa,
        "shift": out.shift,
        "output.zero": op.y.zero_point,
        "output.low": op.clamp.low,
        "output.high": op.clamp.high,
        "output.rounding": rounding_name(shifts, op.rounding),
    }


def _operand_params(operand: Operand) -> dict[str, ParamValue]:
    return {
        "zero": operand.tensor.zero_point,
        "mantissa": operand.scale.mantissa,
        "shift": operand.scale.shift,
    }


LOWERING = Lowering(candidates, lower)
