"""Two operands that broadcast: which of them repeats along which axis."""

from __future__ import annotations

from typing import NamedTuple

from ...graph import Tensor
from ...ops.broadcast import PairOp, image_shape
from ...target import Candidate, Form
from ..program import ParamValue
from .axes import merged, padded, steps
from .lowering import candidate

AXES = 6


class Prices(NamedTuple):
    """Instructions of a kernel for each value, if an operand has but one for all channels, and for each pixel."""

    value: float
    repeated: float
    pixel: float = 0


class Operands(NamedTuple):
    """In the order of the kernels: a constant comes second."""

    a: Tensor
    b: Tensor


def operands(op: PairOp) -> Operands:
    return Operands(op.b, op.x) if op.x.is_constant else Operands(op.x, op.b)


def in_place(op: PairOp) -> tuple[int, ...]:
    """Inputs that the output may lie on."""
    return tuple(i for i, t in enumerate(op.operands) if not t.is_constant and t.shape == op.y.shape)


def are_images(op: PairOp) -> bool:
    """Do both operands only repeat along rows, columns or channels?"""
    return all(image_shape(tensor, op.y) is not None for tensor in op.operands)


def instructions(op: PairOp, prices: Prices) -> float:
    channels = op.y.image.channels
    if channels == 1:
        return op.y.elements * prices.value
    repeated = any(tensor.shape[-1:] in ((), (1,)) for tensor in op.operands)
    return op.y.elements * ((prices.repeated if repeated else prices.value) + prices.pixel / max(1, channels))


def broadcast_axes(op: PairOp) -> tuple[tuple[int, ...], tuple[tuple[bool, bool], ...]]:
    """Merged axes of the output, and along which of them a and b run (instead of repeating)."""
    rank = len(op.y.shape)
    a, b = (padded(t.shape, rank, 1) for t in operands(op))
    sizes, kinds = merged(op.y.shape, [(a[i] > 1, b[i] > 1) for i in range(rank)])
    return sizes, tuple(kind for kind in kinds if isinstance(kind, tuple))


def is_walkable(op: PairOp) -> bool:
    """Is one operand computed at run time, and are the axes of te_axes_t enough?"""
    return not operands(op).a.is_constant and len(broadcast_axes(op)[0]) <= AXES


def axis_params(op: PairOp) -> dict[str, ParamValue]:
    """Members of te_axes_t."""
    sizes, runs = broadcast_axes(op)
    params: dict[str, ParamValue] = {"size": padded(sizes, AXES, 1)}
    for name, which in (("step_a", 0), ("step_b", 1)):
        dense = steps([size if run[which] else 1 for size, run in zip(sizes, runs, strict=True)])
        used = [step if run[which] else 0 for step, run in zip(dense, runs, strict=True)]
        params[name] = padded(used, AXES, 0)
    return params


def broadcast_candidate(op: PairOp, kernel: str, prices: Prices) -> Candidate:
    """A kernel of any of them; those with `broadcast` in their name count through six axes."""
    b = operands(op).b
    return candidate(
        kernel,
        form=Form.WHOLE if "broadcast" in kernel else Form.STRIP,
        inputs=len(op.activations),
        in_place=in_place(op),
        weights=b.nbytes if b.is_constant else 0,
        instructions=instructions(op, prices),
    )
