"""Cheap lower bounds of stages that end at one cut point, for all beginnings, without scheduling their calls.

Looks at a stage only when a call of its last operator starts. How many calls the others have made by then follows
from their windows, operator by operator, backwards.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph import Array, Op, Tensor
from .draft import Lives
from .walk import Walk


class StageBounds:
    """Grows a stage by one operator after the other, from its last one backwards."""

    def __init__(self, lives: Lives, end: int, replaces: Callable[[Op], bool]) -> None:
        self._lives, self._end, self._replaces = lives, end, replaces
        self._walks: dict[Tensor, list[tuple[Walk, int]]] = {}  # readers inside the stage, and as which input
        self._done: dict[Op, Array] = {}  # calls made when the last operator has made 1, 2, ... of its own
        self._kept: list[Array] = []  # bytes of rings and outputs
        self._last: Op | None = None

    def add(self, walk: Walk) -> None:
        """The operator before those added so far."""
        op = walk.op
        readers = [reader for y in op.outputs for reader in self._walks.pop(y, [])]
        if self._last is None:
            self._last, self._done[op] = op, np.arange(1, walk.calls + 1)
        elif readers:
            self._done[op] = self._calls_made(walk, readers)
        else:
            return  # nothing drives it but that its inputs are there: it may be done with them at any time
        for y in op.outputs:
            self._keep(walk, y, readers)
        for index, tensor in enumerate(op.inputs):
            if tensor is not None and not tensor.is_constant:
                self._walks.setdefault(self._lives.sources.of(tensor), []).append((walk, index))

    def _keep(self, walk: Walk, y: Tensor, readers: list[tuple[Walk, int]]) -> None:
        """What an output takes by then."""
        made = np.concatenate([[0], walk.progress])[self._done[walk.op]]
        if self._lives.used[y] >= self._end:
            self._kept.append(made if not self._replaces(walk.op) else np.zeros_like(made))
        elif readers and not self._replaces(walk.op):
            waiting = np.maximum(made - self._oldest(readers, y.nbytes), 0)
            self._kept.append(np.where(waiting > 0, waiting.max(initial=0), 0))

    def nbytes(self, begin: int) -> int:
        """Of the stage from operator `begin` to the end."""
        held, moving = 0, [*self._kept]
        for tensor in self._lives.at(begin):
            if self._lives.used[tensor] >= self._end:
                held += tensor.nbytes
            elif tensor in self._walks:
                readers = self._walks[tensor]
                newest = max(walk.newest[index] for walk, index in readers)
                moving.append(newest - self._oldest(readers, newest))
        return held + int(np.sum(moving, axis=0).max(initial=0))

    def _calls_made(self, walk: Walk, readers: list[tuple[Walk, int]]) -> Array:
        """Just enough for what the readers have computed."""
        needs = [np.array([0, *reader.calls_before(walk, i)])[self._done[reader.op]] for reader, i in readers]
        return np.asarray(np.max(needs, axis=0, initial=0))

    def _oldest(self, readers: list[tuple[Walk, int]], nbytes: int) -> Array:
        """The first byte that the readers still need: the last operator is in the middle of a call, others are not."""
        found = []
        for reader, index in readers:
            oldest = reader.oldest[index]
            assert oldest is not None
            found.append(np.append(oldest, nbytes)[self._done[reader.op] - (reader.op is self._last)])
        return np.asarray(np.min(found, axis=0, initial=nbytes))
