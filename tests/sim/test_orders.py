"""Both orders of instructions of the same kernels: exact everywhere, and each where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from tecompile.backends.armv7em.backend import FLASH_PRICES, LOWERINGS
from tecompile.backends.armv7em.cores import LARGEST_GROWTH, Order, function_in
from tecompile.backends.armv7em.cycles import OPT, estimate
from tecompile.backends.armv7em.function import Function
from tecompile.graph import Op
from tests.tools.graphs import Builder

from .layers import compiled, counts, prove, side_by_side

NETWORK_GROWTH = 1.22


@cache
def layers() -> Sequence[Op]:
    """Of every family one or two: with and without leftovers, unrolled and looped."""
    b = Builder(1)
    for rows, columns, inputs, outputs in [(6, 6, 16, 24), (5, 5, 96, 40), (3, 3, 240, 16), (1, 1, 128, 64)]:
        b.conv(b.input(1, rows, columns, inputs), outputs)
    b.conv(b.input(1, 12, 12, 3), 16, 3, stride=2)
    for kernel, stride in [(3, 1), (3, 2), (5, 1), (7, 1)]:
        b.dw(b.input(1, 8, 8, 12), kernel, stride=stride)
    x = b.input(1, 4, 4, 16)
    b.add(x, b.input(1, 4, 4, 16))
    return b.ops


@cache
def functions() -> Sequence[Function]:
    """As generated, of all kernels that these layers could use."""
    lowered = [
        lowering.lower(op, candidate, "layer", FLASH_PRICES[0])
        for op in layers()
        for lowering in LOWERINGS.get(type(op), ())
        for candidate in lowering.candidates(op, FLASH_PRICES[0])
    ]
    return tuple({routine.name: routine.function for made in lowered for routine in made.routines}.values())


def sources(board_name: str) -> list[str]:
    program = compiled(side_by_side("orders", layers()), board_name)[0]
    return [source.name for source in program.sources if source.name.endswith(".S")]


def test_some_kernels_gain_by_the_estimate_and_none_loses() -> None:
    gains = [estimate(f.lines, OPT) / estimate(function_in(Order.M7, f).lines, OPT) for f in functions()]
    assert min(gains) >= 1
    assert max(gains) > 1.2


@pytest.mark.parametrize(("board_name", "scheduled"), [("qemu-m4", False), ("qemu-m33", False), ("qemu-m7", True)])
def test_each_core_is_given_its_order(board_name: str, scheduled: bool) -> None:
    assert sources(board_name)
    assert any("_m7_" in name for name in sources(board_name)) == scheduled


@pytest.mark.sim
@pytest.mark.parametrize("order", Order)
def test_both_orders_are_exact(order: Order) -> None:
    """In unicorn they are, by the test below, which counts."""
    prove(side_by_side("orders", layers()), "qemu-m7", "qemu", order=order)


@pytest.mark.sim
def test_what_scheduling_adds_stays_within_its_budget() -> None:
    graph = side_by_side("orders", layers())
    fewest, scheduled = counts(graph), counts(graph, order=Order.M7)
    assert max(new / old for new, old in zip(scheduled, fewest, strict=True)) <= LARGEST_GROWTH
    assert sum(scheduled) <= NETWORK_GROWTH * sum(fewest)
