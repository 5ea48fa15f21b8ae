"""Which element of the input each element of the output is, where that follows axes with equal distances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np

from ..graph import Array


class Axis(NamedTuple):
    """`size` neighbours along it lie `step` elements of the input apart; 0 repeats."""

    size: int
    step: int

    @property
    def reach(self) -> int:
        """From the first of them to the last."""
        return (self.size - 1) * self.step


@dataclass(frozen=True)
class Traversal:
    """Axes of the output, outermost first, through an input of any shape."""

    first: int  # element of the input that the output begins with
    axes: tuple[Axis, ...]

    @property
    def count(self) -> int:
        return prod(axis.size for axis in self.axes)

    @property
    def merged(self) -> tuple[Axis, ...]:
        """As few axes as possible: each that goes on where the one before left off becomes one with it."""
        found: list[Axis] = []
        for size, step in self.axes:
            if found and found[-1].step == size * step:
                found[-1] = Axis(found[-1].size * size, step)
            elif size > 1:
                found.append(Axis(size, step))
        return tuple(found)

    @property
    def in_order(self) -> bool:
        """Is it one piece of the input?"""
        return self.merged in ((), (Axis(self.count, 1),))

    def stays_inside(self, elements: int) -> bool:
        low, high = (sum(f(axis.reach, 0) for axis in self.axes) + self.first for f in (min, max))
        return low >= 0 and high < elements

    def of(self, made: Traversal) -> Traversal | None:
        """Through the input of what another traversal made; None if that follows no axes with equal distances."""
        digits, first, axes = list[int](), made.first, list[Axis]()
        rest = self.first
        for size, step in reversed(made.merged):
            rest, digit = divmod(rest, size)
            digits.insert(0, digit)
            first += digit * step
        for axis in self.axes:
            found = list(_through(axis, made.merged, digits))
            if not found:
                return None
            axes += found
        fits = all(digit < size for digit, (size, _) in zip(digits, made.merged, strict=True))
        return Traversal(first, tuple(axes)) if fits else None

    def take(self, x: Array) -> Array:
        """The output's elements, one after the other."""
        flat = np.ascontiguousarray(x).reshape(-1)[self.first :]
        sizes, steps = ([axis[i] for axis in self.axes] for i in (0, 1))
        if self.first and min(steps, default=0) < 0:
            return self._positive(np.ascontiguousarray(x).reshape(-1))
        view = np.lib.stride_tricks.as_strided(flat, sizes, [n * x.itemsize for n in steps], writeable=False)
        return view.reshape(-1)

    def _positive(self, flat: Array) -> Array:
        """Falling axes are walked up and turned round."""
        low = self.first + sum(min(axis.reach, 0) for axis in self.axes)
        rising = Traversal(low, tuple(Axis(axis.size, abs(axis.step)) for axis in self.axes))
        values = rising.take(flat).reshape([axis.size for axis in self.axes])
        return np.asarray(np.flip(values, tuple(i for i, axis in enumerate(self.axes) if axis.step < 0))).reshape(-1)


def _through(axis: Axis, made: Sequence[Axis], digits: list[int]) -> Iterator[Axis]:
    """An axis as one or more of those it runs along; `digits` become the last places that are reached."""
    if axis.step == 0 or axis.size == 1:
        yield Axis(axis.size, 0)
        return
    weight, number = 1, len(made) - 1
    while number > 0 and axis.step >= weight * made[number].size:
        weight *= made[number].size
        number -= 1
    step, gap = divmod(axis.step, weight)
    if number < 0 or gap or step < 0:
        return
    inside = made[number].size // step
    if inside and axis.size > inside and axis.size % inside == 0 and made[number].size % step == 0:
        yield from _through(Axis(axis.size // inside, axis.step * inside), made, digits)
    else:
        inside = axis.size
    digits[number] += (inside - 1) * step
    yield Axis(inside, step * made[number].step)


def dense(shape: Sequence[int]) -> tuple[Axis, ...]:
    """Of a tensor as it lies in memory."""
    steps = [1]
    for size in reversed(shape[1:]):
        steps.append(steps[-1] * size)
    return tuple(Axis(*pair) for pair in zip(shape, reversed(steps), strict=False))


def transposed(shape: Sequence[int], order: Sequence[int]) -> Traversal:
    """A tensor of this shape with its axes in another order."""
    axes = dense(shape)
    return Traversal(0, tuple(axes[i] for i in order))


def split(axes: Sequence[Axis], inner: int) -> tuple[tuple[Axis, ...], tuple[Axis, ...]] | None:
    """The axes of the `inner` elements that follow each other last, and those before; None if an axis straddles."""
    before, behind = list(axes), list[Axis]()
    for size, step in reversed(axes):
        if inner == 1:
            break
        before.pop()
        if inner % size and size % inner:
            return None
        if inner < size:
            before.append(Axis(size // inner, step * inner))
        behind.insert(0, Axis(min(size, inner), step))
        inner //= min(size, inner)
    return tuple(before), tuple(behind)


def levels(axes: Sequence[Axis], columns: int, channels: int) -> Iterator[tuple[Axis, ...]]:
    """The axes of an image's rows, columns and channels; nothing, if an axis straddles."""
    pixels = split(axes, channels)
    rows = split(pixels[0], columns) if pixels is not None else None
    if rows is not None and pixels is not None:
        yield from (*rows, pixels[1])
