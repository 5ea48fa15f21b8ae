"""Remove operators nobody reads (what folding leaves behind), and state that nobody touches."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Access, Graph, Op, Tensor


def remove_dead(graph: Graph) -> Graph:
    needed: set[Tensor] = set(graph.outputs)
    kept: list[Op] = []
    for op in reversed(graph.ops):
        writes_state = any(effect.access is Access.WRITE for effect in op.effects)
        if writes_state or any(t in needed for t in op.outputs):
            kept.append(op)
            needed.update(op.activations)
    touched = {effect.variable for op in kept for effect in op.effects}
    variables = tuple(v for v in graph.variables if v.name in touched)
    return replace(graph, ops=tuple(reversed(kept)), variables=variables)
