"""Remove operators that change nothing: all-zero PADs, full RELUs, requantisation to the same scale..."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..graph import Graph, Op, Tensor
from ..ops.concatenation import Concatenation
from ..ops.pad import FilledPad
from ..ops.pool2d import Pool2D
from ..ops.quantize import Quantize
from ..ops.reduction import Reduction
from ..ops.relu import Relu, Relu6
from ..ops.reshape import Reshape
from ..ops.resize_bilinear import ResizeBilinear
from ..ops.resize_nearest_neighbor import ResizeNearestNeighbor
from ..ops.strided import StridedOp
from ..ops.table import Table
from ..rewriting import substitute


def drop_identities(graph: Graph) -> Graph:
    """Of the two names that become one, an output of the graph keeps its own."""
    kept: list[Op] = []
    renamed: dict[Tensor, Tensor] = {}
    for op in graph.ops:
        if not _is_identity(op):
            kept.append(op)
            continue
        source = _resolve(op.x, renamed)
        if op.y not in graph.outputs:
            renamed[op.y] = source
        elif source in graph.inputs or source in graph.outputs:
            kept.append(op)  # both names are visible from outside
        else:
            renamed[source] = op.y
    final = {t: _resolve(t, renamed) for t in renamed}
    return substitute(replace(graph, ops=tuple(kept)), final) if final else graph


def _resolve(tensor: Tensor, renamed: Mapping[Tensor, Tensor]) -> Tensor:
    while tensor in renamed:
        tensor = renamed[tensor]
    return tensor


def _is_identity(op: Op) -> bool:
    if (
        not op.inputs
        or not op.outputs
        or op.inputs[0] is None
        or op.x.is_constant
        or op.x.shape != op.y.shape
        or op.x.dtype is not op.y.dtype
    ):
        return False
    same_quant = op.x.quant is op.y.quant or (op.x.quant is not None and op.x.quant.same_as(op.y.quant))
    return same_quant and _copies_every_value(op) and not any(op.unsupported())  # those stay, for the message


def _copies_every_value(op: Op) -> bool:
    if isinstance(op, (StridedOp, Reshape)):
        return op.is_view
    if isinstance(op, FilledPad):
        return op.amounts is not None and not any(map(any, op.amounts))
    if isinstance(op, (Relu, Relu6)):
        return op.x.quant is not None and op.clamp == op.y.dtype.bounds
    if isinstance(op, Pool2D):
        return op.kernel == (1, 1) and op.clamp == op.y.dtype.bounds
    if isinstance(op, ResizeNearestNeighbor):
        return all(np.array_equal(taken, np.arange(taken.size)) for taken in (op.rows, op.columns))
    if isinstance(op, (Reduction, ResizeBilinear)):
        return True  # shapes are equal: nothing is reduced, no place lies between two
    if isinstance(op, Table):
        return op.is_view
    return isinstance(op, (Concatenation, Quantize))  # shapes are equal: it has one input only
