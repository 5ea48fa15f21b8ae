"""Every portable kernel gives the bytes of the operator's reference, in every form that is offered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.native import NativeTarget
from tecompile.graph import Op
from tecompile.interpret import run
from tecompile.planner.plan import Plan
from tests.operators import DRAWS

from .build import Model, build_models, random_inputs
from .ops import Draw, one_op_graph
from .plans import Cutter, chunks, plain_plan, strips

TARGET = NativeTarget()


def variants(op: Op, draw: Draw) -> Iterator[Plan]:
    """Every candidate, in place where it says so, in strips of any height or parts of rows, down or up."""
    graph = one_op_graph(op)
    for candidate in TARGET.candidates(op):
        in_place = bool(candidate.in_place) and draw.number(0, 1) == 1
        cut: Cutter = draw.pick(strips(draw.number(0, 3)), chunks(draw.rng))
        yield plain_plan(graph, lambda _, c=candidate: c, in_place, cut, draw.number(0, 1) == 1)


def check(model: Model, rng: np.random.Generator) -> None:
    for _ in range(3):
        inputs = random_inputs(model.plan.graph, rng)
        expected = run(model.plan.graph, inputs)
        for got, want in zip(model.run(inputs), expected, strict=True):
            np.testing.assert_array_equal(got, want, f"{model.name}: {model.plan.graph.ops[0]}")


def sweep(kind: str, seed: int, count: int, folder: Path) -> None:
    rng = np.random.default_rng([seed, *kind.encode()])
    draw = Draw(rng)
    plans = [plan for _ in range(count) for plan in variants(DRAWS[kind](draw), draw)]
    for model in build_models(folder, plans):
        check(model, rng)


@pytest.mark.parametrize("kind", DRAWS)
def test_kernel(kind: str, tmp_path: Path) -> None:
    sweep(kind, 1, 8, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("seed", [2, 3])
def test_kernel_sweep(kind: str, seed: int, tmp_path: Path) -> None:
    sweep(kind, seed, 40, tmp_path)
