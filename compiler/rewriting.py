"""What passes need: exchanging tensors, checking that a graph is valid, printing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from .errors import InternalError
from .graph import Graph, Tensor


def substitute(graph: Graph, mapping: Mapping[Tensor, Tensor]) -> Graph:
    """The same graph with tensors exchanged wherever they are used or produced."""

    def swap(tensor: Tensor | None) -> Tensor | None:
        return mapping.get(tensor, tensor) if tensor is not None else None

    def swap_all(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        return tuple(mapping.get(t, t) for t in tensors)

    ops = tuple(replace(op, inputs=tuple(map(swap, op.inputs)), outputs=swap_all(op.outputs)) for op in graph.ops)
    return replace(graph, ops=ops, inputs=swap_all(graph.inputs), outputs=swap_all(graph.outputs))


def with_free_names(before: Graph, after: Graph) -> Graph:
    """New tensors whose name is taken get one that is free."""
    old = set(before.tensors)
    taken = {t.name for t in old}
    renamed: dict[Tensor, Tensor] = {}
    for tensor in after.tensors:
        if tensor in old:
            continue
        if tensor.name in taken:
            names = (f"{tensor.name}_{i}" for i in count(2))
            renamed[tensor] = replace(tensor, name=next(name for name in names if name not in taken))
        taken.add(renamed.get(tensor, tensor).name)
    return substitute(after, renamed) if renamed else after


def validate(graph: Graph) -> None:
    """Every tensor is produced once before it is used, names are unique, operators are consistent."""
    known: set[Tensor] = set(graph.inputs)
    for op in graph.ops:
        for t in op.activations:
            if t not in known:
                raise InternalError(f"{op.label} reads {t.name} before it is produced")
        for t in op.outputs:
            if t in known:
                raise InternalError(f"{op.label} produces {t.name} a second time")
            known.add(t)
        for reason in op.invalid():
            raise InternalError(f"{op.label}: {reason}")
    for t in graph.outputs:
        if t not in known and not t.is_constant:
            raise InternalError(f"output {t.name} is never produced")
    names = [t.name for t in graph.tensors]
    if len(set(names)) != len(names):
        raise InternalError("two tensors share one name")
    _validate_state(graph)


def _validate_state(graph: Graph) -> None:
    variables = {v.name for v in graph.variables}
    if len(variables) != len(graph.variables):
        raise InternalError("two variables share one name")
    for op in graph.ops:
        for effect in op.effects:
            if effect.variable not in variables:
                raise InternalError(f"{op.label} touches {effect.variable}, which is no variable of the graph")


def format_graph(graph: Graph) -> str:
    """One line per operator: what pass tests compare and `inspect -v` prints."""
    lines = [f"in   {t.describe()}" for t in graph.inputs]
    for op in graph.ops:
        sources = ", ".join("-" if t is None else t.name for t in op.inputs)
        lines.append(f"{op.kind}({sources}) -> {', '.join(t.describe() for t in op.outputs)}")
    return "\n".join([*lines, *(f"out  {t.describe()}" for t in graph.outputs)])
