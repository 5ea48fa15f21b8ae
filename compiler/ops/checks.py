"""Conditions that several operators share, each yielding readable reasons."""

from __future__ import annotations

from collections.abc import Iterator

from ..arith import LARGEST_SHIFT, Multiplier
from ..graph import Array, DType, Op, Tensor

INDEX_TYPES = (DType.INT32, DType.INT64)
BYTES = (DType.INT8, DType.UINT8)
QUANTISED = (*BYTES, DType.INT16)


def wrong_types(op: Op, tensors: tuple[Tensor | None, ...], allowed: tuple[DType, ...]) -> Iterator[str]:
    """Unsupported element types, and quantised tensors without a scale."""
    names = " or ".join(d.value for d in allowed)
    for tensor in tensors:
        if tensor is None:
            continue
        if tensor.dtype not in allowed:
            yield f"{tensor.name} is {tensor.dtype.value}; {op.kind} takes {names} here"
        elif tensor.quant is None and tensor.dtype in QUANTISED:
            yield f"{tensor.name} carries no quantisation"


def mixed_types(op: Op, tensors: tuple[Tensor, ...]) -> Iterator[str]:
    """For operators that allow several element types, but one at a time."""
    if len({t.dtype for t in tensors}) > 1:
        yield f"{' and '.join(f'{t.name} ({t.dtype.value})' for t in tensors)} differ in type; {op.kind} takes one"


def not_per_tensor(tensors: tuple[Tensor | None, ...]) -> Iterator[str]:
    for tensor in tensors:
        if tensor is not None and tensor.quant is not None and not tensor.quant.per_tensor:
            yield f"{tensor.name} is quantised per channel where one scale is needed"


def integers(tensor: Tensor | None) -> Array | None:
    """The values of a constant table of sizes, axes or indices; None where there is no such thing."""
    if tensor is None or tensor.data is None or tensor.dtype not in INDEX_TYPES:
        return None
    return tensor.data


def too_steep(tensor: Tensor, multiplier: Multiplier) -> Iterator[str]:
    """32-bit fixed point can't scale up further, and nothing would be left but the clamp's two ends."""
    if multiplier.shift > LARGEST_SHIFT:
        yield f"the scale of {tensor.name} is more than 2^{LARGEST_SHIFT} times smaller than its inputs' scale"


def not_constant(tensors: tuple[Tensor | None, ...], role: str) -> Iterator[str]:
    for tensor in tensors:
        if tensor is not None and not tensor.is_constant:
            yield f"{role} {tensor.name} is computed at run time"


def differing_quant(op: Op, inputs: tuple[Tensor, ...]) -> Iterator[str]:
    """For operators whose kernels move values without rescaling them."""
    for x in inputs:
        if x.quant is not None and not x.quant.same_as(op.y.quant):
            yield f"{x.name} and {op.y.name} have different scales or zero points; {op.kind} does not rescale"


def wrong_rank(tensor: Tensor, rank: int) -> Iterator[str]:
    if len(tensor.shape) != rank:
        yield f"{tensor.name} has rank {len(tensor.shape)} instead of {rank}"


class WrongShape(str):
    """A reason that also knows what the shape should be: files state some that only hold for another batch."""

    tensor: Tensor
    expected: tuple[int, ...]

    @classmethod
    def of(cls, tensor: Tensor, expected: tuple[int, ...], text: str = "") -> WrongShape:
        reason = cls(text or f"{tensor.name} is [{_dims(tensor.shape)}] but its inputs give [{_dims(expected)}]")
        reason.tensor, reason.expected = tensor, expected
        return reason


def wrong_shape(tensor: Tensor, expected: tuple[int, ...]) -> Iterator[str]:
    if tensor.shape != expected:
        yield WrongShape.of(tensor, expected)


def _dims(shape: tuple[int, ...]) -> str:
    return ",".join(map(str, shape))
