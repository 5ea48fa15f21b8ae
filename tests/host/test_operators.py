"""Random models of every operator, compiled as a user's are: the C code gives what the file's graph means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tecompile.backends import backend_chain
from tecompile.board import load_board
from tecompile.frontend import check_supported, parse
from tecompile.graph import Graph
from tecompile.interpret import run
from tecompile.passes import simplify
from tecompile.planner.planner import Optimize, Place, make_plan
from tests.operators import STRATEGIES
from tests.tools.cases import Case

from .build import build_models, random_inputs

TARGET = backend_chain("portable", load_board("host").core)
MODELS = 2  # of one example: they are compiled together


def simple_graph(case: Case) -> Graph:
    graph = simplify(parse(case.model, "net"))
    check_supported(graph)
    return graph


def check(cases: list[Case], folder: Path) -> None:
    rng = np.random.default_rng(5)
    compiled = [(case, graph) for case in cases if (graph := simple_graph(case)).ops]
    plans = [make_plan(graph, TARGET, Place("RAM"), Optimize.RAM) for _, graph in compiled]
    for model, (case, graph) in zip(build_models(folder, plans), compiled, strict=True):
        for _ in range(2):
            inputs = random_inputs(graph, rng)
            for got, want in zip(model.run(inputs), run(graph, inputs), strict=True):
                np.testing.assert_array_equal(got, want, f"{model.name}: {case.label}")


@pytest.mark.parametrize("kind", STRATEGIES)
@settings(max_examples=1, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_operator(tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject) -> None:
    check(data.draw(st.lists(STRATEGIES[kind], min_size=MODELS, max_size=MODELS)), tmp_path_factory.mktemp("operator"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", STRATEGIES)
@settings(max_examples=1, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_operator_sweep(tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject) -> None:
    check(data.draw(st.lists(STRATEGIES[kind], min_size=20, max_size=20)), tmp_path_factory.mktemp("operator"))
