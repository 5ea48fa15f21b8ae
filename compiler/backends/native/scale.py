"""ABS, LEAKY_RELU, RELU, RELU6, QUANTIZE: tables of bytes, and for larger integers one factor on each side of zero."""

from __future__ import annotations

from typing import TypeAlias

from ...arith import Multiplier
from ...graph import Clamp, DType, Rounding
from ...ops.absolute import Abs
from ...ops.leaky_relu import LeakyRelu
from ...ops.quantize import Quantize
from ...ops.relu import Relu, Relu6
from ...target import Candidate
from . import elementwise
from .lowering import Body, Lowering, Params, candidate, prefixed
from .packing import kernel_shift, rounding_name, safe_multiplier

Scaling: TypeAlias = Abs | LeakyRelu | Quantize | Relu | Relu6
PER_VALUE, PER_MAGNITUDE = 17, 22  # instructions
ONE = Multiplier(1 << 30, 1)  # as a factor


def factors(op: Scaling) -> tuple[Multiplier, Multiplier]:
    """Of values above the zero point, and below."""
    if isinstance(op, LeakyRelu):
        return op.scale(), op.negative_scale()
    one = ONE if isinstance(op, Relu6) else op.scale()
    return one, one


def candidates(op: Scaling) -> tuple[Candidate, ...]:
    if op.x.dtype in elementwise.BYTES and op.y.dtype in elementwise.BYTES:
        return elementwise.candidates(op)
    value = PER_MAGNITUDE if isinstance(op, Abs) else PER_VALUE
    in_place = (0,) if op.x.dtype.size == op.y.dtype.size else ()
    return (candidate("te_scale", in_place=in_place, instructions=op.y.elements * value),)


def lower(op: Scaling, chosen: Candidate, function: str) -> Body:
    return Body(scale_params(op)) if chosen.kernel == "te_scale" else elementwise.lower(op, chosen, function)


def scale_params(op: Scaling) -> Params:
    """Members of te_scale_t."""
    rounding = getattr(op, "rounding", Rounding.DOUBLE)
    positive, negative = (_kernel_factor(op, factor, rounding) for factor in factors(op))
    low, high = getattr(op, "clamp", Clamp(*op.y.dtype.bounds))
    return {
        "in_bytes": op.x.dtype.size,
        "out_bytes": op.y.dtype.size,
        "in_zero": op.x.zero_point,
        "magnitudes": int(isinstance(op, Abs)),
        **prefixed("positive", positive._asdict()),
        **prefixed("negative", negative._asdict()),
        "output.zero": op.y.zero_point,
        "output.low": low if low > DType.INT32.bounds[0] else "INT32_MIN",
        "output.high": high,
        "output.rounding": rounding_name((positive.shift, negative.shift), rounding),
    }


def _kernel_factor(op: Scaling, factor: Multiplier, rounding: Rounding) -> Multiplier:
    mantissa, shift = safe_multiplier(factor, rounding)
    largest = 1 << 31 if op.x.dtype is DType.INT32 else 1 << 16
    return Multiplier(mantissa, kernel_shift(shift, rounding, largest))


LOWERING = Lowering(candidates, lower)
