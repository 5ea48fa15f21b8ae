"""State of generated models: it lasts from run to run, can be reset, and belongs to one instance alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.native import NativeTarget
from tecompile.graph import Array, Graph
from tecompile.interpret import initial_state, run
from tecompile.planner.planner import Optimize, Place, make_plan
from tests.operators import edges
from tests.operators.recurrent import Kept, kept_case, rolling, sliding
from tests.tools.cases import Case

from .build import Instance, Model, build_models, random_inputs
from .ops import Draw
from .plans import chunks, first_candidate, plain_plan, strips
from .test_operators import TARGET, simple_graph

FRAMES = 20
KINDS = ("READ_VARIABLE", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM int16")
SHAPES = ((2, 3, 4), (1, 1, 5), (5, 2, 1), (3, 7, 3))


def built(cases: Sequence[Case], folder: Path) -> list[Model]:
    plans = [make_plan(simple_graph(case), TARGET, Place("RAM"), Optimize.RAM) for case in cases]
    return build_models(folder, plans)


def frames_of(graph: Graph, seed: int, count: int = FRAMES) -> list[list[Array]]:
    rng = np.random.default_rng(seed)
    return [random_inputs(graph, rng) for _ in range(count)]


def assert_follows(instance: Instance, graph: Graph, frames: Sequence[Sequence[Array]]) -> None:
    """From the initial state on."""
    state = initial_state(graph)
    for number, frame in enumerate(frames):
        for got, want in zip(instance.run(frame), run(graph, frame, state), strict=True):
            np.testing.assert_array_equal(got, want, f"run {number}")


@pytest.mark.parametrize("kind", KINDS)
def test_state_lasts_and_is_reset(kind: str, tmp_path: Path) -> None:
    for model in built(edges(kind)[:12], tmp_path):
        instance, graph = Instance(model), model.plan.graph
        assert_follows(instance, graph, frames_of(graph, 1))
        instance.reset()
        assert_follows(instance, graph, frames_of(graph, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_instances_share_nothing(kind: str, tmp_path: Path) -> None:
    (model,) = built(edges(kind)[-1:], tmp_path)
    graph = model.plan.graph
    instances = [Instance(model) for _ in range(2)]
    states = [initial_state(graph) for _ in instances]
    for pair in zip(frames_of(graph, 3), frames_of(graph, 4), strict=True):
        for instance, state, frame in zip(instances, states, pair, strict=True):
            for got, want in zip(instance.run(frame), run(graph, frame, state), strict=True):
                np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8"])
def test_copies_in_strips_and_parts(dtype: str, tmp_path: Path) -> None:
    """As a stage might ask for them."""
    rng = np.random.default_rng(5)
    graphs = [simple_graph(kept_case([Kept(shape, dtype, 3)])) for shape in SHAPES]
    graphs += [
        simple_graph(rows(shape, 2, kept)) for rows in (sliding, rolling) for shape in SHAPES[:2] for kept in (1, 3)
    ]
    cutters = [strips(), strips(1), strips(2), chunks(rng)]
    choose = first_candidate(NativeTarget())
    plans = [plain_plan(graph, choose, cut=Draw(rng).pick(*cutters)) for graph in graphs for _ in range(4)]
    for model in build_models(tmp_path, plans):
        assert_follows(Instance(model), model.plan.graph, frames_of(model.plan.graph, 6, 4))


@pytest.mark.parametrize("name", ["*/ int x; /*", "a??/b\\", "/*/", "\u202e", "//"])
def test_names_of_variables_can_do_no_harm(name: str, tmp_path: Path) -> None:
    """They are in comments."""
    (model,) = built([kept_case([Kept((3,), "int8", 1, name)])], tmp_path)
    assert_follows(Instance(model), model.plan.graph, frames_of(model.plan.graph, 1, 3))


def test_initial_values_are_a_table_only_where_they_differ(tmp_path: Path) -> None:
    kept = {"m0": Kept((50,), "int16", -7), "m1": Kept((50,), "int16", None), "m2": Kept((50,), "int16", 5, step=3)}
    for model in built([kept_case([k]) for k in kept.values()], tmp_path):
        table = "static const int16_t state" in (tmp_path / f"{model.name}.c").read_text("utf-8")
        assert table == (kept[model.name].step != 0)
        assert_follows(Instance(model), model.plan.graph, frames_of(model.plan.graph, 1, 3))
