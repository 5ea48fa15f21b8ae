"""The smallest rings that a list of steps allows, found by playing the steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tecompile.graph import Array, Op, Region, Tensor
from tecompile.planner.plan import Buffer, Ring, Step
from tecompile.target import Candidate


class Lie(NamedTuple):
    """How a tensor lies in a ring, in bytes."""

    row_step: int
    shift: int = 0


@dataclass(frozen=True)
class Spot:
    """One ring and who shares it."""

    nbytes: int
    lies: Mapping[Tensor, Lie]

    def places(self, tensor: Tensor, pixels: Array) -> Array:
        row, column = np.divmod(pixels, tensor.image.columns)
        lie = self.lies[tensor]
        return np.asarray((row * lie.row_step + lie.shift + column * tensor.pixel_bytes) % self.nbytes)

    def rings(self, offset: int) -> dict[Tensor, Buffer]:
        return {t: Ring(t, 0, offset, self.nbytes, lie.row_step, lie.shift) for t, lie in self.lies.items()}


class Play:
    """A list of steps as pixel numbers: what each reads and writes, when each pixel is read for the last time."""

    def __init__(self, steps: Sequence[Step], choices: Mapping[Op, Candidate]) -> None:
        self.steps, self.choices = steps, choices
        self.last_use: dict[Tensor, Array] = {}
        self.reads = [list(_reads(step)) for step in steps]
        for number, reads in enumerate(self.reads):
            for tensor, pixels in reads:
                uses = self.last_use.setdefault(tensor, np.full(tensor.image.rows * tensor.image.columns, -1))
                uses[pixels] = number

    def smallest(self, tensor: Tensor, lie: Lie, unit: int) -> Spot:
        """The fewest bytes, in such units, in which every pixel lives as long as it is read."""
        found = self._first_fit({tensor: lie}, unit, tensor.image.rows * lie.row_step)
        assert found is not None
        return found

    def _first_fit(self, lies: Mapping[Tensor, Lie], unit: int, most: int) -> Spot | None:
        spots = (Spot(nbytes, lies) for nbytes in range(unit, most + 1, unit))
        return next((spot for spot in spots if self.fits(spot)), None)

    def shared(self, x: Tensor, y: Tensor, rng: np.random.Generator) -> Spot | None:
        """A small ring for input and output of an operator that works in place: the best of some, if there is one."""
        steps_of_rows = (x.row_bytes, y.row_bytes, x.row_bytes * max(1, x.image.rows // y.image.rows))
        trials = [Lie(x.row_bytes)]
        for shift in rng.integers(0, x.image.rows * x.image.columns, 4):
            trials.append(Lie(int(rng.choice(steps_of_rows)), int(shift) * x.pixel_bytes))
        spots = [self._first_fit({x: Lie(x.row_bytes), y: lie}, x.pixel_bytes, x.nbytes) for lie in trials]
        return min((spot for spot in spots if spot), key=lambda spot: spot.nbytes, default=None)

    def fits(self, spot: Spot) -> bool:
        """Does every pixel find its place free, and is it still there when it is read?"""
        tensors = list(spot.lies)
        owner, pixel = np.full((2, spot.nbytes), -1)
        for number, step in enumerate(self.steps):
            for tensor, pixels in self.reads[number]:
                at = spot.places(tensor, pixels) if tensor in spot.lies else pixels[:0]
                if at.size and not ((owner[at] == tensors.index(tensor)) & (pixel[at] == pixels)).all():
                    return False
            if step.op.y in spot.lies:
                fresh = _numbers(step.op.y, step.written)
                at = spot.places(step.op.y, fresh)
                if len(np.unique(at)) < len(at) or not self._free(tensors, owner[at], pixel[at], fresh, number):
                    return False
                owner[at], pixel[at] = tensors.index(step.op.y), fresh
        return True

    def _free(self, tensors: Sequence[Tensor], owner: Array, old: Array, new: Array, number: int) -> bool:
        """Are these old pixels dead, or may the new ones take their place while they die?"""
        step = self.steps[number]
        for index in np.unique(owner[owner >= 0]):
            tensor, mine = tensors[index], owner == index
            last = self.last_use.get(tensor, np.full(1 + old.max(), -1))[old[mine]]
            dies = _may_replace(step, self.choices[step.op], tensor, old[mine] == new[mine])
            if ((last > number) | ((last == number) & ~dies)).any():
                return False
        return True


def _may_replace(step: Step, choice: Candidate, tensor: Tensor, same: Array) -> Array:
    """May this step, the last to read these pixels, put others there?"""
    inputs = {i for i, t in enumerate(step.op.inputs) if t is tensor}
    if step.region.rows.size == 1 and inputs & set(choice.by_channel):
        return np.ones_like(same)
    return same if inputs & set(choice.in_place) else np.zeros_like(same)


def _reads(step: Step) -> Iterator[tuple[Tensor, Array]]:
    for index, tensor in enumerate(step.op.inputs):
        if tensor is not None and not tensor.is_constant:
            yield tensor, _numbers(tensor, step.read(index))


def _numbers(tensor: Tensor, region: Region) -> Array:
    rows, columns = np.arange(*region.rows), np.arange(*region.columns)
    return np.asarray(rows[:, None] * tensor.image.columns + columns).reshape(-1)
