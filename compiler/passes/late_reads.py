"""Read state right before its first use: files read all of it at the start, and it would fill memory until then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..graph import Graph, Op, Tensor
from ..ops.variables import ReadVariable


def late_reads(graph: Graph) -> Graph:
    ops = tuple(_moved(graph))
    return graph if ops == graph.ops else replace(graph, ops=ops)


def _moved(graph: Graph) -> Iterator[Op]:
    waiting: dict[Tensor, Op] = {}
    for op in graph.ops:
        if isinstance(op, ReadVariable):
            waiting[op.y] = op
            continue
        for tensor in _due(op, waiting):
            yield waiting.pop(tensor)
        yield op
    yield from waiting.values()


def _due(op: Op, waiting: Mapping[Tensor, Op]) -> list[Tensor]:
    """What the operator uses itself, and what it would overwrite."""
    touched = {effect.variable for effect in op.effects}
    return [
        tensor
        for tensor, read in waiting.items()
        if tensor in op.inputs or not touched.isdisjoint(effect.variable for effect in read.effects)
    ]
