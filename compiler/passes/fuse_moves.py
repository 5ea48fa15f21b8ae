"""Say chains of operators that only move values as one: channel shuffles, what is turned there and back...

Reshapes between them and after them disappear as well, so that images stay images and can be computed row by row.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, Op, Tensor
from ..ops.reshape import Reshape, ViewOp
from ..ops.strided import Rearrange, StridedOp
from ..ops.traversal import Axis, Traversal


def fuse_moves(graph: Graph) -> Graph:
    """Each move from as far back as it can be said; those that nobody reads any more are removed later."""
    readers, made, ops = graph.consumers(), dict[Tensor, Op](), list[Op]()
    for op in graph.ops:
        current = op
        while (further := _further(current, made)) is not None:
            current = further
        if isinstance(op, ViewOp) and (len(readers[op.x]) > 1 or op.x in graph.outputs) and not current.is_view:
            current = op  # the move is made anyway, and its other shape costs nothing
        made.update(dict.fromkeys(op.outputs, current))
        ops.append(current)
    return graph if tuple(ops) == graph.ops else replace(graph, ops=tuple(ops))


def _further(op: Op, made: dict[Tensor, Op]) -> Op | None:
    """The same from the input of the move or view before it, if that is no loss."""
    before = made.get(op.inputs[0]) if op.inputs and op.inputs[0] is not None else None
    walk, earlier = _traversal(op), None if before is None else _traversal(before)
    if walk is None or earlier is None or before is None:
        return None
    if isinstance(op, ViewOp) and isinstance(before, ViewOp):
        return Reshape(op.index, (before.x,), op.outputs)
    whole = walk.of(earlier)
    if whole is None or not whole.stays_inside(before.x.elements):
        return None
    fused = Rearrange(op.index, (before.x,), op.outputs, whole)
    if any(fused.unsupported()):
        return None
    loses = before.streams and (op.streams or op.is_view) and not (fused.streams or fused.is_view)
    return None if loses else fused


def _traversal(op: Op) -> Traversal | None:
    if isinstance(op, StridedOp):
        return op.traversal
    return Traversal(0, (Axis(op.x.elements, 1),)) if isinstance(op, ViewOp) else None
