"""Remove operators that change nothing: all-zero PADs, full RELUs, requantisation to the same scale."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, Op
from ..ops.pad import Pad
from ..ops.pool2d import Pool2D
from ..ops.quantize import Quantize
from ..ops.relu import Relu, Relu6
from ..ops.reshape import Reshape
from ..rewriting import substitute


def drop_identities(graph: Graph) -> Graph:
    for op in graph.ops:
        both_visible = op.y in graph.outputs and (op.x in graph.inputs or op.x in graph.outputs)
        if not both_visible and _is_identity(op):
            return drop_identities(_without(graph, op))
    return graph


def _without(graph: Graph, op: Op) -> Graph:
    """One of the two names goes: an output of the graph keeps its own."""
    rest = replace(graph, ops=tuple(o for o in graph.ops if o is not op))
    gone, kept = (op.x, op.y) if op.y in graph.outputs else (op.y, op.x)
    return substitute(rest, {gone: kept})


def _is_identity(op: Op) -> bool:
    if (
        not op.inputs
        or op.inputs[0] is None
        or op.x.is_constant
        or op.x.shape != op.y.shape
        or op.x.dtype is not op.y.dtype
    ):
        return False
    if isinstance(op, Reshape):
        return True
    same_quant = op.x.quant is not None and op.x.quant.same_as(op.y.quant)
    return same_quant and _copies_every_value(op)


def _copies_every_value(op: Op) -> bool:
    if isinstance(op, Pad):
        return op.amounts is not None and not any(map(any, op.amounts))
    if isinstance(op, (Relu, Relu6)):
        return op.clamp == op.y.dtype.bounds
    if isinstance(op, Pool2D):
        return op.kernel == (1, 1) and op.clamp == op.y.dtype.bounds
    return isinstance(op, Quantize)
