"""The order of execution: of all orders a graph allows, one with the smallest peak of live tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..graph import Access, Graph, Op, Tensor

MOST_STATES = 4000  # a chain needs as many states as operators; give up on graphs wider than this


@dataclass(frozen=True)
class _Path:
    """A way to have finished some set of operators: what it cost, and in which order."""

    peak: int
    ops: tuple[Op, ...]


def best_order(graph: Graph) -> tuple[Op, ...]:
    """Dynamic programming over sets of finished operators; the file's order where that is too large."""
    needs = _prerequisites(graph)
    frontier: dict[frozenset[Op], _Path] = {frozenset(): _Path(0, ())}
    states = 0
    for _ in graph.ops:
        following: dict[frozenset[Op], _Path] = {}
        for done, path in frontier.items():
            for op in _ready(graph, needs, done):
                key = done | {op}
                new = _Path(max(path.peak, _live_bytes(graph, done, op)), (*path.ops, op))
                if key not in following or new.peak < following[key].peak:
                    following[key] = new
        states += len(following)
        if states > MOST_STATES:
            return graph.ops
        frontier = following
    ((_, path),) = frontier.items()
    return path.ops


def _prerequisites(graph: Graph) -> dict[Op, frozenset[Op]]:
    """Producers of the inputs, and earlier operators with a conflicting effect."""
    producers = graph.producers()
    found: dict[Op, frozenset[Op]] = {}
    for position, op in enumerate(graph.ops):
        makers = {producers[t] for t in op.activations if t in producers}
        found[op] = frozenset(makers | {o for o in graph.ops[:position] if _conflict(o, op)})
    return found


def _conflict(earlier: Op, later: Op) -> bool:
    return any(
        a.variable == b.variable and Access.WRITE in (a.access, b.access)
        for a in earlier.effects
        for b in later.effects
    )


def _ready(graph: Graph, needs: dict[Op, frozenset[Op]], done: frozenset[Op]) -> Iterator[Op]:
    return (op for op in graph.ops if op not in done and needs[op] <= done)


def _live_bytes(graph: Graph, done: frozenset[Op], op: Op) -> int:
    """Bytes of all tensors that exist while `op` runs."""
    made = {t for o in done for t in o.outputs} | set(graph.inputs)
    wanted = set(graph.outputs).union(*(o.activations for o in graph.ops if o not in done))
    live: set[Tensor] = (made & wanted) | set(op.outputs)
    return sum(t.nbytes for t in live)
