"""Random networks, cut into the longest stages in every mode: the C code gives the interpreter's bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tecompile.backends.native import NativeTarget
from tecompile.graph import DType, Graph
from tecompile.interpret import run
from tecompile.passes import simplify
from tecompile.passes.decompose import decompose
from tecompile.planner.check import verify_alignment, verify_plan
from tecompile.planner.plan import Plan
from tecompile.planner.planner import Optimize, Place, make_plan
from tecompile.planner.walk import Mode
from tests.tools.more_graphs import FullBuilder
from tests.tools.random_graphs import networks
from tests.tools.stages import longest_stages

from .build import build_models, random_inputs

MODES = [Mode(rows, parts, up) for rows, parts in ((1, 1), (2, 1), (3, 1), (1, 2), (1, 3)) for up in (False, True)]
WAYS: Sequence[Mode | Optimize] = (*MODES, Optimize.RAM, Optimize.SPEED)
GRAPHS = 12  # networks of one example: they are compiled together


def planned(graph: Graph, way: Mode | Optimize) -> Plan:
    """In stages as long as they can be, or what the planner would take."""
    target = NativeTarget()
    if isinstance(way, Optimize):
        return make_plan(graph, target, Place("RAM"), way)
    plan = longest_stages(graph, target, way)
    verify_plan(plan)
    verify_alignment(plan)
    return plan


@dataclass(frozen=True)
class Network:
    """As a file would have it, and as it is compiled: with all passes or only the one that nothing works without."""

    stated: Graph
    compiled: Graph


def network(stated: Graph, with_passes: bool) -> Network:
    return Network(stated, simplify(stated) if with_passes else decompose(stated))


def check(found: Sequence[Network], folder: Path, shares: int = 1) -> None:
    """Networks take turns in the ways: each takes one share of them."""
    rng = np.random.default_rng(3)
    turns = ((each, way) for i, each in enumerate(found) for way in WAYS[i % shares :: shares])
    pairs = [(each, planned(each.compiled, way)) for each, way in turns]
    models = build_models(folder, [plan for _, plan in pairs])
    for (each, plan), model in zip(pairs, models, strict=True):
        inputs = random_inputs(plan.graph, rng)
        for got, want in zip(model.run(inputs), run(each.stated, inputs), strict=True):
            np.testing.assert_array_equal(got, want, f"{model.name}: {[op.kind for op in plan.ops]}")


def test_two_views_of_one_tensor_beside_each_other(tmp_path: Path) -> None:
    """Neither may be taken for computed in its place: the other is as well."""
    b = FullBuilder()
    made = b.fully_connected(b.input(1, 5), 4)
    joined = b.concat(*(b.reshape(made, 1, 1, 2, 2) for _ in range(2)), axis=1)
    graph = b.graph(b.fully_connected(b.reshape(joined, 1, 8), 3))
    check([Network(graph, graph)], tmp_path)


kinds = st.one_of(networks(most=8, largest=11), networks(most=8, largest=11), networks(6, 9, DType.INT16))
many = st.lists(st.builds(network, kinds, st.booleans()), min_size=GRAPHS, max_size=GRAPHS)


@settings(max_examples=1, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(many)
def test_random_graphs(tmp_path_factory: pytest.TempPathFactory, found: list[Network]) -> None:
    check(found, tmp_path_factory.mktemp("graphs"), shares=3)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(many)
def test_random_graphs_sweep(tmp_path_factory: pytest.TempPathFactory, found: list[Network]) -> None:
    check(found, tmp_path_factory.mktemp("graphs"))
