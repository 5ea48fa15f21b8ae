"""Merge RELU and RELU6 into the clamp of the operator before them, where that rescales nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..graph import Clamp, Graph, Op, Tensor
from ..ops.broadcast import BroadcastOp
from ..ops.pool2d import Pool2D
from ..ops.relu import Relu, Relu6
from ..ops.scaled import ScaledOp

Clamped = (ScaledOp, BroadcastOp, Pool2D)


def fuse_activations(graph: Graph) -> Graph:
    """A chain of several fuses from its start, one after the other."""
    readers, outputs = graph.consumers(), set(graph.outputs)
    made: dict[Tensor | Op, Op] = {}  # by output, if it has one: the operator that makes it now
    for op in graph.ops:
        before = made.get(op.x) if isinstance(op, (Relu, Relu6)) else None
        if isinstance(op, (Relu, Relu6)) and isinstance(before, Clamped) and _may_fuse(op, readers, outputs):
            low, high = max(before.clamp.low, op.clamp.low), min(before.clamp.high, op.clamp.high)
            del made[op.x]
            made[op.y] = replace(before, clamp=Clamp(low, high), outputs=op.outputs)
        else:
            made.update(dict.fromkeys(op.outputs or (op,), op))
    ops = tuple(dict.fromkeys(made.values()))
    return graph if ops == graph.ops else replace(graph, ops=ops)


def _may_fuse(op: Op, readers: Mapping[Tensor, tuple[Op, ...]], outputs: set[Tensor]) -> bool:
    alone = readers[op.x] == (op,) and op.x not in outputs
    return alone and op.x.quant is not None and op.x.quant.same_as(op.y.quant)
