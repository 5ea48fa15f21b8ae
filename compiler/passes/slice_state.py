"""Read a part of the state, or keep a part of a tensor, without a copy of its own for the slice.

That is what models do that keep the last rows of what they have seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..graph import Graph, Op, Span, Tensor
from ..ops.strided_slice import StridedSlice
from ..ops.variables import AssignVariable, ReadVariable


def slice_state(graph: Graph) -> Graph:
    """Slices and whole reads that nobody needs any more are dead afterwards."""
    return _assigned(_read(graph))


def _read(graph: Graph) -> Graph:
    """A slice that alone reads what was read of the state becomes that read."""
    reads = {op.y: op for op in graph.ops if isinstance(op, ReadVariable) and op.part is None}
    slices = [op for op in graph.ops if isinstance(op, StridedSlice) and op.x in reads and _alone(graph, op.x)]
    parts = {op.x: (op, part) for op in slices if (part := contiguous(op)) is not None}
    if not parts:
        return graph
    direct = {reads[x]: replace(reads[x], outputs=(op.y,), part=part) for x, (op, part) in parts.items()}
    gone = {op for op, _ in parts.values()}
    kept = (op for op in graph.ops if op not in gone)
    return replace(graph, ops=tuple(direct.get(op, op) if isinstance(op, ReadVariable) else op for op in kept))


def _assigned(graph: Graph) -> Graph:
    producers = graph.producers()

    def direct(op: Op) -> Op:
        if not isinstance(op, AssignVariable) or op.part is not None:
            return op
        made = producers.get(op.x)
        part = contiguous(made) if isinstance(made, StridedSlice) and _alone(graph, op.x) else None
        return op if made is None or part is None else replace(op, inputs=(made.x,), part=part)

    ops = tuple(map(direct, graph.ops))
    return graph if ops == graph.ops else replace(graph, ops=ops)


def _alone(graph: Graph, tensor: Tensor) -> bool:
    return len(graph.consumers()[tensor]) == 1 and tensor not in graph.outputs


def contiguous(op: StridedSlice) -> Span | None:
    """The elements that a slice takes, if they are known and follow each other."""
    if any(op.unsupported()):
        return None
    places = np.arange(op.x.elements).reshape(op.x.shape)
    taken = op.reference([places, *(None if t is None else t.data for t in op.inputs[1:])])[0].reshape(-1)
    first = int(taken[0])
    return Span(first, first + taken.size) if np.array_equal(taken, np.arange(first, first + taken.size)) else None
