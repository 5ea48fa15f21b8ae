"""Compute at compile time what does not depend on the inputs: mostly shape arithmetic."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, Op, Tensor
from ..ops.shapes import Shape
from ..rewriting import substitute

MOST_ELEMENTS = 1 << 24  # of a result; a small file must not be able to ask for all memory


def fold_constants(graph: Graph) -> Graph:
    """Operators of constants, and SHAPE of anything, become constants themselves."""
    folded: dict[Tensor, Tensor] = {}
    kept: list[Op] = []
    for op in graph.ops:
        current = replace(op, inputs=tuple(None if t is None else folded.get(t, t) for t in op.inputs))
        if _foldable(current):
            values = current.reference([None if t is None else t.data for t in current.inputs])
            folded.update({t: replace(t, data=v) for t, v in zip(op.outputs, values, strict=True)})
        else:
            kept.append(op)
    return substitute(replace(graph, ops=tuple(kept)), folded)


def _foldable(op: Op) -> bool:
    if sum(t.elements for t in op.outputs) > MOST_ELEMENTS:
        return False
    return isinstance(op, Shape) or (not op.activations and not op.effects and not any(op.unsupported()))
