"""The drawn models: TFLM accepts every one, and LiteRT's reference kernels agree on its outputs."""

from __future__ import annotations

import numpy as np
import pytest
import tflite
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.cases import Case
from tests.tools.edge_ops import EDGES
from tests.tools.golden import Array, GoldenUnavailable, run_litert_ref, run_tflm
from tests.tools.random_ops import OPERATOR_STRATEGIES, edge_cases

pytest.importorskip("tflite_micro")

# LiteRT rounds once where TFLM rounds twice, computes RELU's multiplier in float32, and LOGISTIC in real numbers.
STEPS_APART_IN_LITERT = {"FULLY_CONNECTED": 1, "RELU": 1, "LOGISTIC": 1}


def output_of(case: Case) -> Array:
    (output,) = run_tflm(case.model, case.inputs, isolated=True)
    return output


def declared_shape(case: Case) -> tuple[int, ...]:
    graph = tflite.Model.GetRootAs(case.model).Subgraphs(0)
    tensor = graph.Tensors(graph.Outputs(0))
    return tuple(tensor.Shape(i) for i in range(tensor.ShapeLength()))


def litert_output(case: Case) -> Array | None:
    """Run LiteRT, which refuses some models that TFLM accepts, such as convolutions without bias."""
    try:
        return run_litert_ref(case.model, case.inputs, isolated=True)[0]
    except GoldenUnavailable:
        return None


@pytest.mark.parametrize("kind", OPERATOR_STRATEGIES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_tflm_runs_what_is_drawn(kind: str, data: st.DataObject) -> None:
    case = data.draw(OPERATOR_STRATEGIES[kind])
    assert case.kind == kind
    assert output_of(case).shape == declared_shape(case)


@pytest.mark.parametrize("kind", OPERATOR_STRATEGIES)
def test_tflm_and_litert_agree_on_the_edges(kind: str) -> None:
    pytest.importorskip("ai_edge_litert")
    for case in edge_cases(kind):
        output, other = output_of(case), litert_output(case)
        assert output.shape == declared_shape(case), case
        if other is not None:
            np.testing.assert_allclose(
                output, other, rtol=0, atol=STEPS_APART_IN_LITERT.get(kind, 0), err_msg=str(case)
            )


def test_edges_exist_for_what_is_drawn() -> None:
    assert EDGES.keys() == OPERATOR_STRATEGIES.keys()
    assert all(edge_cases(kind) for kind in EDGES)


@pytest.mark.parametrize("kind", EDGES)
def test_edges_are_the_same_every_time(kind: str) -> None:
    for first, second in zip(edge_cases(kind), edge_cases(kind), strict=True):
        assert first.model == second.model
        for value, same in zip(first.inputs, second.inputs, strict=True):
            np.testing.assert_array_equal(value, same)
