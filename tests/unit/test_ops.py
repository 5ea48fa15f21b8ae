"""Every operator computes what TFLM computes, byte for byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tecompile.frontend import check_supported, parse
from tecompile.interpret import run
from tecompile.ops import OPERATORS
from tecompile.passes import simplify
from tests.tools.golden import run_tflm
from tests.tools.random_ops import OPERATOR_STRATEGIES, Case, edge_cases

KINDS = sorted(OPERATOR_STRATEGIES)
EDGES = [pytest.param(case, id=f"{kind}-{i}") for kind in KINDS for i, case in enumerate(edge_cases(kind))]


def assert_equals_tflm(case: Case) -> None:
    graph = parse(case.model, "case")
    check_supported(simplify(graph))
    ours, theirs = run(graph, case.inputs), run_tflm(case.model, case.inputs)
    for mine, golden in zip(ours, theirs, strict=True):
        assert (mine.shape, mine.dtype) == (golden.shape, golden.dtype)
        np.testing.assert_array_equal(mine, golden, err_msg=case.label)


def test_every_operator_has_a_strategy() -> None:
    folded_away = {"PACK", "SHAPE", "STRIDED_SLICE"}
    assert set(OPERATOR_STRATEGIES) == set(OPERATORS) - folded_away


@pytest.mark.parametrize("case", EDGES)
def test_edge(case: Case) -> None:
    assert_equals_tflm(case)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_random(kind: str, data: st.DataObject) -> None:
    assert_equals_tflm(data.draw(OPERATOR_STRATEGIES[kind]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_sweep(kind: str, data: st.DataObject) -> None:
    assert_equals_tflm(data.draw(OPERATOR_STRATEGIES[kind]))
