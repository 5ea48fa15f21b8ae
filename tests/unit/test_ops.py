"""Every operator computes what TFLM computes, byte for byte."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tecompile.frontend import check_supported, parse
from tecompile.graph import DType
from tecompile.interpret import run
from tecompile.ops import OPERATORS
from tecompile.passes import simplify
from tecompile.passes.fold_constants import fold_constants
from tests.operators import STRATEGIES, edges, golden_runner
from tests.tools import cases
from tests.tools.cases import Case, Quant, Source
from tests.tools.golden import run_tflm
from tests.tools.tflite_writer import OptionValue, TensorSpec, single_op

KINDS = sorted(STRATEGIES)
EDGES = [pytest.param(kind, case, id=f"{kind}-{i}") for kind in KINDS for i, case in enumerate(edges(kind))]


def assert_equals_tflm(case: Case, kind: str = "") -> None:
    """Or whatever else is the authority on this kind of operator."""
    graph = parse(case.model, "case")
    simple = simplify(graph)
    check_supported(simple)
    ours, theirs = run(graph, case.inputs), golden_runner(kind)(case.model, case.inputs)
    for mine, golden in zip(ours, theirs, strict=True):
        assert (mine.shape, mine.dtype) == (golden.shape, golden.dtype)
        np.testing.assert_array_equal(mine, golden, err_msg=case.label)


def test_every_operator_has_a_strategy() -> None:
    folded_away = {"DIV", "FLOOR_DIV", "FLOOR_MOD", "REDUCE_PROD", "SHAPE"}
    real = {kind for kind, op in OPERATORS.items() if op.types == (DType.FLOAT32,)}  # test_passes_tables has these
    assert {kind.split()[0] for kind in STRATEGIES} == set(OPERATORS) - folded_away - real


@pytest.mark.parametrize(("kind", "case"), EDGES)
def test_edge(kind: str, case: Case) -> None:
    assert_equals_tflm(case, kind)


def every_byte(scale: float, zero_point: int) -> Case:
    case = cases.logistic((256,), Quant(scale, zero_point), Source())
    return replace(case, inputs=(np.arange(-128, 128, dtype=np.int8),))


@pytest.mark.parametrize("scale", [2.0**-28, 0.001, 1 / 16, 0.37, 2.0, 4.0, 7.9, 8.0, 2.0**20, 2.0**34])
def test_logistic_of_every_byte(scale: float) -> None:
    """From 4 on TFLM gives the ends of its output too early, from 8 on even the low end for the middle."""
    for zero_point in (-128, -3, 0, 127):
        assert_equals_tflm(every_byte(scale, zero_point))


def test_logistic_ignores_the_scale_of_its_output() -> None:
    assert_equals_tflm(cases.logistic((1, 50), Quant(0.05, 3), Source(), scale=0.5))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_concatenation_of_constants_is_folded(dtype: str) -> None:
    """As when a shape is put together."""
    parts = np.array([3, -4], dtype), np.array([5], dtype)
    inputs = [TensorSpec(p.shape, dtype, data=p) for p in parts]
    y = single_op("CONCATENATION", inputs, [TensorSpec((3,), dtype)], {"axis": -1})
    folded = fold_constants(parse(y, "net"))
    assert folded.ops == ()
    assert folded.outputs[0].data is not None
    assert folded.outputs[0].data.tolist() == [3, -4, 5]


INT32 = [("ADD", "NONE"), *(("MUL", name) for name in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"))]


@pytest.mark.parametrize(("kind", "activation"), INT32)
def test_int32_is_folded_as_tflm_computes_it(kind: str, activation: str) -> None:
    """TFLM is fed what we fold."""
    values = np.array([[7, -9, 2**30, -(2**31), 0, 3]], np.int32), np.array([[3], [-2], [4]], np.int32)
    options: dict[str, OptionValue] = {"fused_activation_function": activation}
    y = TensorSpec((3, 6), "int32")
    fed = single_op(kind, [TensorSpec(v.shape, "int32") for v in values], [y], options)
    constants = single_op(kind, [TensorSpec(v.shape, "int32", data=v) for v in values], [y], options)
    folded = fold_constants(parse(constants, "net")).outputs[0]
    assert folded.data is not None
    np.testing.assert_array_equal(folded.data, run_tflm(fed, values)[0])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
def test_random(kind: str, data: st.DataObject) -> None:
    assert_equals_tflm(data.draw(STRATEGIES[kind]), kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_sweep(kind: str, data: st.DataObject) -> None:
    assert_equals_tflm(data.draw(STRATEGIES[kind]), kind)
