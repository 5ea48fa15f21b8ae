"""Say operators with simpler ones: SPLIT as slices, EXPAND_DIMS as a reshape... Each operator knows how itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..graph import Graph, Op
from ..rewriting import with_free_names


def decompose(graph: Graph) -> Graph:
    """What operators are made of may be made of simpler ones again."""
    ops = tuple(simple for op in graph.ops for simple in _simplest(op))
    if ops == graph.ops:
        return graph
    return with_free_names(graph, replace(graph, ops=ops))


def _simplest(op: Op) -> Iterator[Op]:
    """An operator that can't be compiled stays itself, for the message."""
    parts = () if any(op.unsupported()) else op.simpler()
    if not parts:
        yield op
    for part in parts:
        yield from _simplest(part)
