"""The allocator against brute force, and its bound."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from tecompile.planner.allocate import Block, lower_bound, pack

blocks = st.lists(
    st.builds(
        Block,
        name=st.just("b"),
        start=st.integers(0, 5),
        sizes=st.lists(st.sampled_from([1, 4, 8, 12, 20, 40]), min_size=1, max_size=4).map(tuple),
        alignment=st.sampled_from([1, 4, 8]),
    ),
    min_size=1,
    max_size=6,
)


def collide(a: Block, at_a: int, b: Block, at_b: int) -> bool:
    for moment in range(max(a.start, b.start), min(a.stop, b.stop)):
        size_a, size_b = a.sizes[moment - a.start], b.sizes[moment - b.start]
        if at_a < at_b + size_b and at_b < at_a + size_a:
            return True
    return False


def brute_force(given_blocks: list[Block]) -> int:
    """Try every order, each block at the lowest aligned byte where it fits."""
    best = 1 << 30
    for order in permutations(given_blocks):
        placed: list[tuple[Block, int]] = []
        for block in order:
            at = 0
            while any(collide(block, at, other, there) for other, there in placed):
                at += block.alignment
            placed.append((block, at))
        best = min(best, max(at + block.largest for block, at in placed))
    return best


@settings(max_examples=150, deadline=None)
@given(blocks)
def test_packing_is_valid_aligned_and_bounded(given_blocks: list[Block]) -> None:
    packing = pack(given_blocks)
    placed = list(zip(given_blocks, packing.offsets, strict=True))
    assert all(at % block.alignment == 0 for block, at in placed)
    for i, (a, at_a) in enumerate(placed):
        assert not any(collide(a, at_a, b, at_b) for b, at_b in placed[:i])
    assert packing.size == max(at + block.largest for block, at in placed)
    assert packing.size >= packing.lower_bound == lower_bound(given_blocks)


@settings(max_examples=25, deadline=None)
@given(st.lists(blocks.map(lambda b: b[0]), min_size=1, max_size=5))
def test_packing_is_optimal_on_small_problems(given_blocks: list[Block]) -> None:
    assert pack(given_blocks).size <= brute_force(given_blocks)


def test_a_block_may_shrink_and_leave_room() -> None:
    """A stride-2 result in its input's place: the rest is free from the next moment on."""
    shrinking = Block("shrinks", 0, (100, 25), 1)
    late = Block("late", 1, (75,), 1)
    assert pack([shrinking, late]).size == 100


def test_the_exact_search_finds_what_no_order_of_first_fit_does() -> None:
    """First fit in every order we try needs 40 bytes here."""
    given_blocks = [
        Block("a", 0, (8, 8, 8)),
        Block("b", 2, (12, 12, 12)),
        Block("c", 3, (4, 4)),
        Block("d", 1, (20,)),
        Block("e", 3, (20,)),
    ]
    packing = pack(given_blocks)
    assert packing.size == packing.lower_bound == 36
