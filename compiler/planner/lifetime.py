"""When tensors live, in moments: moment s is the execution of stage s.

Outputs live one moment longer than the last stage: they must outlast its kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Graph, Op, Tensor


class Lifetimes:
    """First and last moment of every tensor that has a place of its own; `groups` are the operators of each stage."""

    def __init__(self, graph: Graph, groups: Sequence[tuple[Op, ...]]) -> None:
        self.birth: dict[Tensor, int] = dict.fromkeys(graph.inputs, 0)
        self.death: dict[Tensor, int] = dict.fromkeys(graph.inputs, 0)
        self._views = [op for op in graph.ops if op.is_view]
        for moment, group in enumerate(groups):
            self._run(group, moment)
        self._finish_views()
        for tensor in graph.outputs:
            self.death[tensor] = len(groups)
        self._stretch_views()
        self.rings = {t for group in groups for t in internal(group)}

    def _run(self, group: tuple[Op, ...], moment: int) -> None:
        for op in group:
            for tensor in op.activations:
                self.death[tensor] = moment
            for tensor in op.outputs:
                self.birth[tensor] = self.death[tensor] = moment

    def _finish_views(self) -> None:
        """A view is born with its source, and lives at least that long."""
        for op in self._views:
            self.birth[op.y] = self.birth[op.x]
            self.death[op.y] = max(self.death.get(op.y, 0), self.birth[op.x])

    def _stretch_views(self) -> None:
        """The source of a view must last as long as the view is read."""
        for op in reversed(self._views):
            self.death[op.x] = max(self.death[op.x], self.death[op.y])


def internal(group: tuple[Op, ...]) -> tuple[Tensor, ...]:
    """Tensors that never leave their stage: they live in rings."""
    return tuple(t for op in group[:-1] for t in op.outputs)
