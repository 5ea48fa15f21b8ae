"""ADD: same shapes row by row, a repeating constant row by row, anything else whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arith import Multiplier
from ...graph import Array, Tensor
from ...ops.add import Add
from ...target import Candidate, Form
from ..program import ConstantArray, ParamValue
from .axes import merged, padded, steps
from .linear import linear_form
from .lowering import Body, Lowering, Params, candidate, prefixed
from .packing import rounding_name, safe_multiplier

INSTRUCTIONS = 34  # per value
LINEAR_INSTRUCTIONS = 8
AXES = 6


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


def candidates(op: Add) -> tuple[Candidate, ...]:
    a, b = operands(op)
    if a.tensor.is_constant or len(broadcast_axes(op)[0]) > AXES:
        return ()
    instructions = op.y.elements * INSTRUCTIONS
    inputs = len(op.activations)
    places = tuple(i for i, t in enumerate((op.x, op.b)) if not t.is_constant and t.shape == op.y.shape)
    if not op.broadcasts and not b.tensor.is_constant:
        kernel, cost = ("te_add_linear", LINEAR_INSTRUCTIONS) if linear_form(op) else ("te_add", INSTRUCTIONS)
        return (candidate(kernel, inputs=inputs, in_place=places, instructions=op.y.elements * cost),)
    form, kernel, weights = Form.WHOLE, "te_add_broadcast", 0
    if b.tensor.is_constant:
        weights = b.tensor.nbytes
        kernel = "te_add_broadcast_constant"
        if a.tensor.shape == op.y.shape and repeats(b.tensor, op.y.shape) is not None:
            form, kernel = Form.STRIP, "te_add_constant"
    return (candidate(kernel, form=form, inputs=inputs, in_place=places, weights=weights, instructions=instructions),)


def lower(op: Add, chosen: Candidate, function: str) -> Body:
    b = operands(op)[1].tensor
    if chosen.kernel == "te_add_linear":
        return Body(_linear_params(op))
    if chosen.kernel == "te_add":
        return Body({"row_values": op.y.row_bytes, **prefixed("sum", sum_params(op))})
    if chosen.kernel == "te_add_broadcast":
        return Body(broadcast_params(op))
    values = repeats(b, op.y.shape) if chosen.kernel == "te_add_constant" else b.data
    assert values is not None
    table = ConstantArray(f"{function}_constant", "int8_t", values.astype(np.int8), "the constant operand")
    if chosen.kernel == "te_add_constant":
        params: Params = {"constant": table.name, "period": table.values.size, "row_values": op.y.row_bytes}
        return Body({**params, **prefixed("sum", sum_params(op))}, (table,))
    return Body({"constant": table.name, **prefixed("add", broadcast_params(op))}, (table,))


def _linear_params(op: Add) -> dict[str, ParamValue]:
    form = linear_form(op)
    assert form is not None
    return {"row_values": op.y.row_bytes, **form._asdict(), "low": op.clamp.low, "high": op.clamp.high}


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


def broadcast_axes(op: Add) -> tuple[tuple[int, ...], tuple[tuple[bool, bool], ...]]:
    """Merged axes of the output, and along which of them a and b run (instead of repeating)."""
    rank = len(op.y.shape)
    a, b = (padded(o.tensor.shape, rank, 1) for o in operands(op))
    runs = [(a[i] > 1, b[i] > 1) for i in range(rank)]
    sizes, kinds = merged(op.y.shape, runs)
    return sizes, tuple(kind for kind in kinds if isinstance(kind, tuple))


def broadcast_params(op: Add) -> dict[str, ParamValue]:
    """Members of te_add_broadcast_t."""
    sizes, runs = broadcast_axes(op)
    params: dict[str, ParamValue] = {"size": padded(sizes, AXES, 1)}
    for name, which in (("step_a", 0), ("step_b", 1)):
        dense = steps([size if run[which] else 1 for size, run in zip(sizes, runs, strict=True)])
        used = [step if run[which] else 0 for step, run in zip(dense, runs, strict=True)]
        params[name] = padded(used, AXES, 0)
    return {**params, **prefixed("sum", sum_params(op))}


LOWERING = Lowering(candidates, lower)
