"""Say operators with simpler ones: SPLIT as slices, EXPAND_DIMS as a reshape... Each operator knows how itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count

from ..graph import Graph, Op, Tensor
from ..rewriting import substitute


def decompose(graph: Graph) -> Graph:
    """What operators are made of may be made of simpler ones again."""
    ops = tuple(simple for op in graph.ops for simple in _simplest(op))
    if ops == graph.ops:
        return graph
    simplified = replace(graph, ops=ops)
    return substitute(simplified, _renamed(graph, simplified))


def _simplest(op: Op) -> Iterator[Op]:
    """An operator that can't be compiled stays itself, for the message."""
    parts = () if any(op.unsupported()) else op.simpler()
    if not parts:
        yield op
    for part in parts:
        yield from _simplest(part)


def _renamed(before: Graph, after: Graph) -> Mapping[Tensor, Tensor]:
    """New tensors whose name is taken, under one that is free."""
    old = set(before.tensors)
    taken = {t.name for t in old}
    renamed: dict[Tensor, Tensor] = {}
    for tensor in after.tensors:
        if tensor in old:
            continue
        if tensor.name in taken:
            renamed[tensor] = replace(tensor, name=next(n for n in _candidates(tensor.name) if n not in taken))
        taken.add(renamed.get(tensor, tensor).name)
    return renamed


def _candidates(name: str) -> Iterator[str]:
    return (f"{name}_{i}" for i in count(2))
