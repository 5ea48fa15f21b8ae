"""Merging neighbouring axes that a kernel treats alike, so that six are enough."""

from __future__ import annotations

from collections.abc import Sequence


def merged(sizes: Sequence[int], kinds: Sequence[object]) -> tuple[tuple[int, ...], tuple[object, ...]]:
    """Sizes and kinds of the axes after merging equal neighbours; axes of size 1 are dropped."""
    found: list[tuple[int, object]] = []
    for size, kind in zip(sizes, kinds, strict=True):
        if size == 1:
            continue
        if found and found[-1][1] == kind:
            found[-1] = (found[-1][0] * size, kind)
        else:
            found.append((size, kind))
    return tuple(size for size, _ in found), tuple(kind for _, kind in found)


def steps(sizes: Sequence[int]) -> tuple[int, ...]:
    """Distance of neighbours along each axis of a dense tensor."""
    found = [1]
    for size in reversed(sizes[1:]):
        found.append(found[-1] * size)
    return tuple(reversed(found)) if sizes else ()


def padded(values: Sequence[int], count: int, fill: int) -> tuple[int, ...]:
    """`count` values, `fill` in front."""
    return (fill,) * (count - len(values)) + tuple(values)
