"""Layers said with simpler ones: a batch as images one after the other, groups as convolutions of some channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..graph import Op, Quant, Tensor
from .concatenation import MOST_INPUTS, Concatenation
from .scaled import ScaledOp
from .strided_slice import slice_of


def large_batch(tensor: Tensor) -> Iterator[str]:
    if len(tensor.shape) == 4 and tensor.shape[0] > MOST_INPUTS:
        yield f"{tensor.name} has batch {tensor.shape[0]}; at most {MOST_INPUTS} are computed one after the other"


def by_batch(op: Op) -> tuple[Op, ...]:
    """Nothing, if there is one image only."""
    count = op.x.shape[0]
    if count == 1:
        return ()
    xs, ys = (_parts(t, 0, count, "image") for t in (op.x, op.y))
    layers = (_with(op, {op.x: x}, y) for x, y in zip(xs, ys, strict=True))
    return (*_cuts(op, xs, 0), *layers, _joined(op, ys, 0))


def by_group(op: ScaledOp, groups: int) -> tuple[Op, ...]:
    """Each group of the input's channels makes one of the output's."""
    xs, ys = (_parts(t, 3, groups, "group") for t in (op.x, op.y))
    weights = _constants(op.weights, groups)
    biases = [None] * groups if op.bias is None else _constants(op.bias, groups)
    layers = []
    for x, w, bias, y in zip(xs, weights, biases, ys, strict=True):
        twins = {op.x: x, op.weights: w}
        if op.bias is not None and bias is not None:
            twins[op.bias] = bias
        layers.append(_with(op, twins, y))
    return (*_cuts(op, xs, 3), *layers, _joined(op, ys, 3))


def _parts(tensor: Tensor, axis: int, count: int, what: str) -> list[Tensor]:
    shape = (*tensor.shape[:axis], tensor.shape[axis] // count, *tensor.shape[axis + 1 :])
    return [replace(tensor, name=f"{tensor.name}:{what}{i}", shape=shape) for i in range(count)]


def _constants(tensor: Tensor, count: int) -> list[Tensor]:
    """Equal parts along the first axis, which is that of the output's channels."""
    assert tensor.data is not None
    found = []
    for i, data in enumerate(np.split(tensor.data, count)):
        quant, each = tensor.quant, len(data)
        if quant is not None and not quant.per_tensor:
            part = slice(i * each, (i + 1) * each)
            quant = Quant(quant.scales[part], quant.zero_points[part], quant.axis)
        found.append(replace(tensor, name=f"{tensor.name}:group{i}", shape=data.shape, data=data, quant=quant))
    return found


def _with(op: Op, twins: dict[Tensor, Tensor], y: Tensor) -> Op:
    change: dict[str, Any] = {"inputs": tuple(t if t is None else twins.get(t, t) for t in op.inputs), "outputs": (y,)}
    return replace(op, **change)


def _cuts(op: Op, parts: Sequence[Tensor], axis: int) -> Iterator[Op]:
    for i, part in enumerate(parts):
        begin = tuple(i * n if a == axis else 0 for a, n in enumerate(part.shape))
        yield slice_of(op.index, op.x, part, begin, part.shape)


def _joined(op: Op, parts: Sequence[Tensor], axis: int) -> Op:
    return Concatenation(op.index, tuple(parts), op.outputs, axis, "NONE")
