"""The order of a stage's calls: the last operator asks, each input is produced just in time."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Graph, Tensor
from .walk import Walk


class Sources:
    """Views carry no values of their own: which tensor holds them."""

    def __init__(self, graph: Graph) -> None:
        self._source: dict[Tensor, Tensor] = {}
        for op in graph.ops:
            if op.is_view:
                self._source[op.y] = self.of(op.x)

    def of(self, tensor: Tensor) -> Tensor:
        return self._source.get(tensor, tensor)


def schedule(walks: Sequence[Walk], sources: Sources) -> list[int]:
    """For each call of the stage the position of its operator in `walks`."""
    return _Scheduler(walks, sources).run()


class _Scheduler:
    def __init__(self, walks: Sequence[Walk], sources: Sources) -> None:
        self._walks = walks
        maker = {t: i for i, walk in enumerate(walks) for t in walk.op.outputs}
        self._needs: list[list[tuple[int, list[int]]]] = []
        for walk in walks:
            makers = ((i, maker.get(sources.of(t))) for i, t in enumerate(walk.op.inputs) if t is not None)
            self._needs.append([(m, walk.calls_before(walks[m], i)) for i, m in makers if m is not None])
        self._done = [0] * len(walks)
        self._waits = [(0, 0)] * len(walks)  # for which operator to have made how many calls, when last looked at
        self._order: list[int] = []

    def run(self) -> list[int]:
        """Pull the last operator; whatever it does not depend on follows as soon as its inputs are there."""
        last = len(self._walks) - 1
        aside = self._not_needed_by(last)
        for call in range(self._walks[last].calls):
            self._pull(last, call + 1)
            while aside and self._push_any(aside):
                pass
        for i in aside:
            self._pull(i, self._walks[i].calls)
        for i, walk in enumerate(self._walks):  # rows that nobody reads still belong to their tensor
            self._pull(i, walk.calls)
        return self._order

    def _not_needed_by(self, last: int) -> list[int]:
        needed, todo = {last}, [last]
        while todo:
            for maker, _ in self._needs[todo.pop()]:
                if maker not in needed:
                    needed.add(maker)
                    todo.append(maker)
        return [i for i in range(len(self._walks)) if i not in needed]

    def _pull(self, i: int, upto: int) -> None:
        """Make sure that the first `upto` calls of operator i have run."""
        done, needs = self._done, self._needs[i]
        while done[i] < upto:
            for maker, calls in needs:
                if done[maker] < calls[done[i]]:
                    self._pull(maker, calls[done[i]])
            self._order.append(i)
            done[i] += 1

    def _push_any(self, aside: list[int]) -> bool:
        pushed = [self._push(i) for i in reversed(aside)]
        return any(pushed)

    def _push(self, i: int) -> bool:
        call, (waits_for, calls) = self._done[i], self._waits[i]
        if call == self._walks[i].calls or self._done[waits_for] < calls:
            return False
        for maker, needed in self._needs[i]:
            if self._done[maker] < needed[call]:
                self._waits[i] = maker, needed[call]
                return False
        self._order.append(i)
        self._done[i] += 1
        return True
