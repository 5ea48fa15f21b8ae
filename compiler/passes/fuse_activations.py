"""Merge RELU and RELU6 into the clamp of the operator before them, where that rescales nothing."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Clamp, Graph, Op
from ..ops.add import Add
from ..ops.pool2d import Pool2D
from ..ops.relu import Relu, Relu6
from ..ops.scaled import ScaledOp

Clamped = (ScaledOp, Add, Pool2D)


def fuse_activations(graph: Graph) -> Graph:
    producers = graph.producers()
    for op in graph.ops:
        before = producers.get(op.x) if isinstance(op, (Relu, Relu6)) else None
        if isinstance(op, (Relu, Relu6)) and isinstance(before, Clamped) and _may_fuse(graph, op):
            low, high = max(before.clamp.low, op.clamp.low), min(before.clamp.high, op.clamp.high)
            fused = replace(before, clamp=Clamp(low, high), outputs=op.outputs)
            return fuse_activations(_exchange(graph, before, op, fused))
    return graph


def _may_fuse(graph: Graph, op: Op) -> bool:
    alone = graph.consumers()[op.x] == (op,) and op.x not in graph.outputs
    return alone and op.x.quant is not None and op.x.quant.same_as(op.y.quant)


def _exchange(graph: Graph, before: Op, op: Op, fused: Op) -> Graph:
    return replace(graph, ops=tuple(fused if o is before else o for o in graph.ops if o is not op))
