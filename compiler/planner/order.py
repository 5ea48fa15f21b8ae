"""The order of execution: of all orders a graph allows, one with the smallest peak of live tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..graph import Access, Graph, Op

MOST_STATES = 4000  # a chain needs as many states as operators; give up on graphs wider than this


@dataclass(frozen=True)
class _Path:
    """A way to have finished some set of operators: what it cost, and in which order."""

    peak: int
    ops: tuple[Op, ...]


@dataclass(frozen=True)
class _Life:
    """A tensor: who makes it (nobody, if it is an input) and who wants it, as sets."""

    nbytes: int
    maker: int
    users: int

    def spans(self, done: int) -> bool:
        """Is it there when these are done, and still wanted?"""
        return not self.maker & ~done and bool(self.users & ~done)


def best_order(graph: Graph) -> tuple[Op, ...]:
    """Dynamic programming over sets of finished operators; the file's order where that is too large.

    A set of operators is an integer: bit n is the file's operator n.
    """
    needs, lives = _prerequisites(graph), _lives(graph)
    frontier: dict[int, _Path] = {0: _Path(0, ())}
    states = 0
    for _ in graph.ops:
        following: dict[int, _Path] = {}
        for done, path in frontier.items():
            kept = sum(life.nbytes for life in lives if life.spans(done))
            for number, op in _ready(graph, needs, done):
                key = done | 1 << number
                peak = max(path.peak, kept + sum(t.nbytes for t in op.outputs))
                if key not in following or peak < following[key].peak:
                    following[key] = _Path(peak, (*path.ops, op))
        states += len(following)
        if states > MOST_STATES:
            return graph.ops
        frontier = following
    ((_, path),) = frontier.items()
    return path.ops


def _prerequisites(graph: Graph) -> list[int]:
    """Producers of the inputs, and earlier operators with a conflicting effect."""
    numbers, producers = {op: n for n, op in enumerate(graph.ops)}, graph.producers()
    found = []
    for position, op in enumerate(graph.ops):
        makers = {producers[t] for t in op.activations if t in producers}
        earlier = makers.union(o for o in graph.ops[:position] if _conflict(o, op))
        found.append(sum(1 << numbers[o] for o in earlier))
    return found


def _lives(graph: Graph) -> list[_Life]:
    """Of all tensors that anything wants. Outputs are, by one more operator, which never is done."""
    users = dict.fromkeys(graph.outputs, 1 << len(graph.ops))
    for number, op in enumerate(graph.ops):
        for tensor in op.activations:
            users[tensor] = users.get(tensor, 0) | 1 << number
    makers = dict.fromkeys(graph.inputs, 0)
    makers |= {tensor: 1 << number for number, op in enumerate(graph.ops) for tensor in op.outputs}
    return [_Life(tensor.nbytes, maker, users[tensor]) for tensor, maker in makers.items() if tensor in users]


def _conflict(earlier: Op, later: Op) -> bool:
    return any(
        a.variable == b.variable and Access.WRITE in (a.access, b.access)
        for a in earlier.effects
        for b in later.effects
    )


def _ready(graph: Graph, needs: Sequence[int], done: int) -> Iterator[tuple[int, Op]]:
    return ((n, op) for n, op in enumerate(graph.ops) if not done >> n & 1 and not needs[n] & ~done)
