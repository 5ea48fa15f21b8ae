"""MEAN, SUM, REDUCE_MAX, REDUCE_ALL...: axes that stay and axes that go, alternating after merging.

Of truth values, which are bytes, 0 is less than 1.
"""

from __future__ import annotations

import math

import numpy as np

from ...arith import wrap32
from ...graph import DType
from ...ops.reduce_extreme import ReduceMax
from ...ops.reduce_truth import ReduceAny
from ...ops.reduction import Reduction, ScaledSum
from ...target import Candidate, Form
from ..program import ConstantArray, ParamValue
from .axes import merged, padded, steps
from .finish import FINISH_INSTRUCTIONS, finish_instructions
from .lowering import Body, Lowering, Params, candidate, prefixed
from .packing import CHANNEL_BYTES, kernel_shift, rounding_name, safe_multiplier
from .sink import PER_CHANNEL, sink

AXES = 3  # of each kind
PER_VALUE = 4
PER_RUN = 4  # of values that lie at the same distance from each other, but the first of each output
PER_PIXEL = 8
PER_EXTREME = 6  # of the values that it is looked for among
EXTREME_FINISH = 5
LARGEST = {DType.INT8: 255, DType.INT16: 65535}  # what one value adds to the accumulator


def axes(op: Reduction) -> list[tuple[int, int, bool]]:
    """(size, step, goes) of each merged axis of the input."""
    goes = [a in (op.axes or ()) for a in range(len(op.x.shape))]
    sizes, kinds = merged(op.x.shape, goes)
    return [(size, step, bool(kind)) for size, step, kind in zip(sizes, steps(sizes), kinds, strict=True)]


def candidates(op: Reduction) -> tuple[Candidate, ...]:
    found = [*_sinks(op), *_strips(op)]
    walked = axes(op)
    if max(sum(goes for *_, goes in walked), sum(not goes for *_, goes in walked)) <= AXES:
        found.append(_candidate(op, "te_reduce_axes", Form.WHOLE))
    return tuple(found)


def _sinks(op: Reduction) -> list[Candidate]:
    if not op.is_global:
        return []
    if isinstance(op, ScaledSum):
        more = _finish(op) - FINISH_INSTRUCTIONS
        return [sink("te_global_mean", op, CHANNEL_BYTES, channel=PER_CHANNEL + more)]
    return [sink("te_global_extreme", op, value=PER_EXTREME)]


def _strips(op: Reduction) -> list[Candidate]:
    if op.by_pixel:
        return [_candidate(op, "te_reduce_pixels", Form.STRIP)]
    return [_candidate(op, "te_reduce_rows", Form.STRIP)] if op.by_row else []


def _candidate(op: Reduction, kernel: str, form: Form) -> Candidate:
    if isinstance(op, ScaledSum):
        work = op.x.elements * PER_VALUE + op.y.elements * _finish(op) + _more_runs(op) * PER_RUN
        return candidate(kernel, form=form, weights=CHANNEL_BYTES, instructions=work)
    pixels = op.x.image.rows * op.x.image.columns
    work = op.x.elements * PER_EXTREME + op.y.elements * EXTREME_FINISH
    return candidate(kernel, form=form, instructions=work + (pixels * PER_PIXEL if form is Form.STRIP else 0))


def _finish(op: ScaledSum) -> float:
    return finish_instructions([_kernel_shift(op)], op.rounding)


def _more_runs(op: Reduction) -> int:
    """Than one for each output."""
    gone = [size for size, _, goes in axes(op) if goes]
    return op.y.elements * (math.prod(gone[:-1]) - 1)


def _kernel_shift(op: ScaledSum) -> int:
    return kernel_shift(safe_multiplier(op.scale(), op.rounding).shift, op.rounding, LARGEST[op.x.dtype] * op.count)


def lower(op: Reduction, chosen: Candidate, function: str) -> Body:
    params, tables = _output(op, function)
    if chosen.kernel == "te_global_mean":
        return Body({**params, "bytes": op.x.dtype.size}, tables)
    how: Params = {"reducer": _reducer(op), "bytes": op.x.dtype.size, **params}
    if chosen.kernel == "te_reduce_axes":
        return Body({**_axis_params(op), **prefixed("reduce", how)}, tables)
    if chosen.kernel == "te_reduce_rows":
        return Body({**prefixed("reduce", how), **_row_params(op)}, tables)
    return Body(how, tables)


def _reducer(op: Reduction) -> str:
    if isinstance(op, ScaledSum):
        return "TE_SUM"
    return "TE_MAX" if isinstance(op, (ReduceAny, ReduceMax)) else "TE_MIN"


def _row_params(op: Reduction) -> dict[str, ParamValue]:
    gone, rank = set(op.axes or ()), len(op.x.shape)
    return {"columns_stay": int(rank - 2 not in gone), "channels_stay": int(rank - 1 not in gone)}


def _axis_params(op: Reduction) -> dict[str, ParamValue]:
    params: dict[str, ParamValue] = {}
    for name, kind in (("kept", False), ("reduced", True)):
        chosen = [(size, step) for size, step, goes in axes(op) if goes is kind]
        params[name] = padded([size for size, _ in chosen], AXES, 1)
        params[f"{name}_step"] = padded([step for _, step in chosen], AXES, 0)
    return params


def _output(op: Reduction, function: str) -> tuple[Params, tuple[ConstantArray, ...]]:
    """Members of te_output_t, which extremes need not."""
    if not isinstance(op, ScaledSum):
        return {}, ()
    mantissa, shift = safe_multiplier(op.scale(), op.rounding).mantissa, _kernel_shift(op)
    bias = int(wrap32(np.array(-op.x.zero_point * op.count)))
    values = np.array([bias, mantissa, shift], np.int32)
    table = ConstantArray(f"{function}_channels", "int32_t", values, "bias, mantissa and shift")
    low, high = op.y.dtype.bounds
    members: Params = {
        "channels": table.name,
        "zero": op.y.zero_point,
        "low": low,
        "high": high,
        "rounding": rounding_name([shift], op.rounding),
    }
    return prefixed("output", members), (table,)


LOWERING = Lowering(candidates, lower)
