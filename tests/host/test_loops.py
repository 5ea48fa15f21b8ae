"""Loops are the step list: expanded again they give the same calls; regular plans become short."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tecompile.backends.loops import Item, Loop, compress, expand
from tecompile.backends.native import NativeTarget
from tecompile.graph import Op, Region, Span
from tecompile.planner.plan import Step

from .chains import chain, conv, pool
from .ops import KINDS, Draw
from .plans import pull_steps, strip_candidate, strips

OPS: list[Op] = [KINDS["pad"](Draw(np.random.default_rng(i))) for i in range(3)]
PATTERN = st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 9), st.integers(-2, 2)), min_size=1, max_size=4)
RUNS = st.lists(st.tuples(PATTERN, st.integers(1, 6)), max_size=5)


def lines(items: tuple[Item, ...]) -> int:
    return sum(2 + lines(item.body) if isinstance(item, Loop) else 1 for item in items)


@given(RUNS, st.integers(0, 100))
def test_loops_expand_to_the_same_steps(runs: list[tuple[list[tuple[Op, int, int]], int]], position: int) -> None:
    steps = [
        Step(op, Region(Span(first + growth * i, first + growth * i + 1), Span(growth * i, first)), sink=growth == 1)
        for pattern, times in runs
        for i in range(times)
        for op, first, growth in pattern
    ]
    expanded = list(expand(compress(steps, position)))
    assert [step for _, step in expanded] == steps
    assert [number for number, _ in expanded] == list(range(position, position + len(steps)))


def test_a_regular_chain_becomes_nested_loops() -> None:
    graph = chain([conv(3, 2), conv(3, 1), pool(2, 2)], rows=64, columns=6, channels=2)
    choose = strip_candidate(NativeTarget())
    steps = pull_steps(graph, {op: choose(op) for op in graph.ops}, strips(1))
    items = compress(steps)
    assert len(steps) > 60
    assert lines(items) <= 20
    assert [step for _, step in expand(items)] == steps


def test_whole_operators_stay_single_calls() -> None:
    steps = [Step(op, op.y.whole) for op in OPS]
    assert lines(compress(steps)) == len(OPS)
