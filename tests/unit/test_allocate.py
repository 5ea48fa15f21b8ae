"""The allocator against brute force, and its bound."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tecompile.planner.allocate import Block, lower_bound, pack
from tecompile.planner.occupancy import NOWHERE, Occupancy


def block(start: int, sizes: list[int], alignment: int = 4) -> Block:
    """Bytes [0, size) at each step."""
    return spans(start, [(0, size) for size in sizes], alignment)


def spans(start: int, spans: list[tuple[int, int]], alignment: int = 4) -> Block:
    """Bytes [low, high) at each step."""
    low, high = np.array(spans, np.int64).T
    empty = high <= low
    return Block(start, Occupancy(np.where(empty, NOWHERE, low), np.where(empty, -NOWHERE, high)), alignment)


sizes = st.sampled_from([0, 1, 4, 8, 12, 20, 40])
blocks = st.lists(
    st.builds(
        spans,
        start=st.integers(0, 5),
        spans=st.lists(st.tuples(sizes, sizes), min_size=1, max_size=4),
        alignment=st.sampled_from([1, 4, 8]),
    ),
    min_size=1,
    max_size=6,
)


def collide(a: Block, at_a: int, b: Block, at_b: int) -> bool:
    """Is neither of the two below the other at all steps at which both hold something?"""
    orders = set()
    for step in range(max(a.start, b.start), min(a.stop, b.stop)):
        low_a, high_a = (int(v[step - a.start]) for v in (a.use.low, a.use.high))
        low_b, high_b = (int(v[step - b.start]) for v in (b.use.low, b.use.high))
        if low_a < high_a and low_b < high_b:
            orders.add((at_a + high_a <= at_b + low_b, at_b + high_b <= at_a + low_a))
    return not (all(below for below, _ in orders) or all(above for _, above in orders))


def brute_force(given_blocks: list[Block]) -> int:
    """Try every order, each block at the lowest aligned byte where it fits."""
    best = 1 << 30
    for order in permutations(given_blocks):
        placed: list[tuple[Block, int]] = []
        for one in order:
            at = 0
            while any(collide(one, at, other, there) for other, there in placed):
                at += one.alignment
            placed.append((one, at))
        best = min(best, max(at + one.top for one, at in placed))
    return best


@settings(max_examples=300, deadline=None)
@given(blocks)
def test_packing_is_valid_aligned_and_bounded(given_blocks: list[Block]) -> None:
    packing = pack(given_blocks)
    placed = list(zip(given_blocks, packing.offsets, strict=True))
    assert all(at >= 0 and at % one.alignment == 0 for one, at in placed)
    for i, (a, at_a) in enumerate(placed):
        assert not any(collide(a, at_a, b, at_b) for b, at_b in placed[:i])
    assert packing.size == max(at + one.top for one, at in placed)
    assert packing.size >= packing.lower_bound >= lower_bound(given_blocks)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(block, st.integers(0, 5), st.lists(sizes, min_size=1, max_size=4)), min_size=1, max_size=5))
def test_packing_is_optimal_on_small_problems(given_blocks: list[Block]) -> None:
    packing = pack(given_blocks)
    assert packing.lower_bound == packing.size <= brute_force(given_blocks)


@settings(max_examples=50, deadline=None)
@given(blocks)
def test_no_packing_lies_below_a_proven_bound(given_blocks: list[Block]) -> None:
    """Also where a target ends the search early, and blocks differ in alignment."""
    smallest = brute_force(given_blocks)
    for target in (0, smallest - 1, smallest):
        assert pack(given_blocks, target).lower_bound <= smallest
    assert pack(given_blocks).size <= smallest


def test_a_block_may_shrink_and_leave_room() -> None:
    """A stride-2 result in its input's place: the rest is free from the next step on."""
    assert pack([block(0, [100, 25], 1), block(1, [75], 1)]).size == 100


def test_a_result_follows_its_dying_input() -> None:
    """Rows of 10: each row of the result is written when a row of the input has died, but the first."""
    dying = spans(0, [(0, 40), (10, 40), (20, 40), (30, 40), (0, 0)], 1)
    growing = spans(0, [(0, 10), (0, 20), (0, 30), (0, 40), (0, 40)], 1)
    packing = pack([dying, growing])
    assert packing.size == packing.lower_bound == 50
    assert packing.offsets == (10, 0)


def test_the_exact_search_finds_what_no_order_of_first_fit_does() -> None:
    """First fit in every order we try needs 40 bytes here."""
    given_blocks = [block(0, [8, 8, 8]), block(2, [12, 12, 12]), block(3, [4, 4]), block(1, [20]), block(3, [20])]
    packing = pack(given_blocks)
    assert packing.size == packing.lower_bound == 36
