"""The golden runners: they refuse instead of dying, stay quiet, and draw the recorded inputs."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.tools.golden import GoldenUnavailable, input_details, run_litert_ref, run_tflm, seeded_inputs
from tests.tools.tflite_writer import TensorSpec, single_op

pytest.importorskip("tflite_micro")

PAIR = TensorSpec((2,), "int8", 1.0)
VALUES = np.array([-3, 4], np.int8)
RELU = single_op("RELU", [PAIR], [PAIR])
# The rescaling factor of this addition is 1, which the library checks for by aborting.
FATAL = single_op("ADD", [PAIR, PAIR], [TensorSpec((2,), "int8", 2.0**-19)])
REFUSED = single_op("RELU_N1_TO_1", [PAIR], [PAIR])


@pytest.mark.parametrize("isolated", [False, True])
def test_refusals_carry_the_library_s_reason(isolated: bool) -> None:
    with pytest.raises(GoldenUnavailable, match="Didn't find op for builtin opcode 'RELU_N1_TO_1'"):
        run_tflm(REFUSED, [VALUES], isolated=isolated)


@pytest.mark.parametrize("model", [b"", b"not a model", RELU[:40]])
def test_broken_files_are_refused(model: bytes) -> None:
    with pytest.raises(GoldenUnavailable):
        run_tflm(model, [VALUES], isolated=True)


def test_a_deadly_model_kills_the_helper_only() -> None:
    for _ in range(2):
        with pytest.raises(GoldenUnavailable, match="died"):
            run_tflm(FATAL, [VALUES, VALUES], isolated=True)
        assert run_tflm(RELU, [VALUES], isolated=True)[0].tolist() == [0, 4]


def test_inputs_that_do_not_fit_are_the_caller_s_mistake() -> None:
    with pytest.raises(ValueError, match="Dimension mismatch"):
        run_tflm(RELU, [VALUES[:1]])


def test_native_logs_stay_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    run_tflm(RELU, [VALUES])
    with pytest.raises(GoldenUnavailable):
        run_tflm(REFUSED, [VALUES])
    os.write(2, b"still here")
    assert capfd.readouterr() == ("", "still here")


def test_litert_rescales_like_tflm() -> None:
    pytest.importorskip("ai_edge_litert")
    model = single_op("RELU", [PAIR], [TensorSpec((2,), "int8", 0.5, -7)])
    assert run_litert_ref(model, [VALUES])[0].tolist() == [-7, 1]
    assert run_tflm(model, [VALUES])[0].tolist() == [-7, 1]


def test_details_name_shape_and_type() -> None:
    x = TensorSpec((1, 2), "int8", 1.0, name="x")
    c = TensorSpec((2,), "int8", 1.0, data=VALUES)
    model = single_op("ADD", [c, x, TensorSpec((), "float32")], [x])
    details = input_details(model)
    assert [(entry["name"], entry["shape"], entry["dtype"]) for entry in details] == [
        ("x", (1, 2), np.int8),
        ("", (), np.float32),
    ]


def test_seeded_inputs_follow_the_recipe() -> None:
    names = ["int8", "uint8", "int16", "int32", "bool", "float32"]
    drawn = seeded_inputs([{"shape": (3, 5), "dtype": np.dtype(name)} for name in names], 1)
    rng = np.random.default_rng(1)
    assert [value.dtype.name for value in drawn] == names
    np.testing.assert_array_equal(drawn[0], rng.integers(-128, 128, (3, 5), dtype=np.int8))
    np.testing.assert_array_equal(drawn[1], rng.integers(0, 256, (3, 5), dtype=np.uint8))
    np.testing.assert_array_equal(drawn[2], rng.integers(-32768, 32768, (3, 5), dtype=np.int16))
    np.testing.assert_array_equal(drawn[3], rng.integers(0, 10, (3, 5), dtype=np.int32))
    np.testing.assert_array_equal(drawn[4], rng.integers(0, 2, (3, 5), dtype=np.bool_))
    np.testing.assert_array_equal(drawn[5], rng.uniform(-1, 1, (3, 5)).astype(np.float32))
