"""Random networks, cut into the longest stages in every mode: the C code gives the interpreter's bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tecompile.backends.native import NativeTarget
from tecompile.errors import TecompileError
from tecompile.graph import Graph
from tecompile.interpret import run
from tecompile.planner.check import verify_alignment, verify_plan
from tecompile.planner.plan import Plan
from tecompile.planner.planner import Optimize, Place, make_plan
from tecompile.planner.walk import Mode
from tests.tools.random_graphs import graphs
from tests.tools.stages import longest_stages

from .build import build_models, random_inputs

MODES = [Mode(rows, parts, up) for rows, parts in ((1, 1), (2, 1), (3, 1), (1, 2), (1, 3)) for up in (False, True)]
GRAPHS = 12  # networks of one example: they are compiled together


def plans(graph: Graph) -> Iterator[Plan]:
    """One plan a mode, and what the planner would take."""
    target = NativeTarget()
    for mode in MODES:
        plan = longest_stages(graph, target, mode)
        verify_plan(plan)
        verify_alignment(plan)
        yield plan
    for optimize in (Optimize.RAM, Optimize.SPEED):
        yield make_plan(graph, target, Place("RAM"), optimize)


def check(found: list[Graph], folder: Path) -> None:
    rng = np.random.default_rng(3)
    for model in build_models(folder, [plan for graph in found for plan in plans(graph)]):
        inputs = random_inputs(model.plan.graph, rng)
        for got, want in zip(model.run(inputs), run(model.plan.graph, inputs), strict=True):
            np.testing.assert_array_equal(got, want, f"{model.name}: {[op.kind for op in model.plan.ops]}")


def supported(graph: Graph) -> bool:
    """Random scales may be beyond what 32 bits can do."""
    try:
        return not any(reason for op in graph.ops for reason in (*op.invalid(), *op.unsupported()))
    except TecompileError:
        return False


many = st.lists(graphs(most=7, largest=11).filter(supported), min_size=GRAPHS, max_size=GRAPHS)


@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(many)
def test_random_graphs(tmp_path_factory: pytest.TempPathFactory, found: list[Graph]) -> None:
    check(found, tmp_path_factory.mktemp("graphs"))


@pytest.mark.slow
@settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(many)
def test_random_graphs_sweep(tmp_path_factory: pytest.TempPathFactory, found: list[Graph]) -> None:
    check(found, tmp_path_factory.mktemp("graphs"))
