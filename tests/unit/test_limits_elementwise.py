"""What operators on single values say of models that they can't take, and integers that they fold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tecompile.frontend import inspect_blockers, parse
from tecompile.passes.fold_constants import fold_constants
from tests.tools.golden import Array, run_litert_ref, run_tflm
from tests.tools.tflite_writer import OptionValue, TensorSpec, single_op

FLAT = (4,)


def tensor(
    dtype: str = "int8", scale: float | None = 0.5, zero: int = 0, name: str = "x", shape: tuple[int, ...] = FLAT
) -> TensorSpec:
    return TensorSpec(shape, dtype, scale, zero, name=name)


def y(dtype: str = "int8", scale: float | None = 0.5, zero: int = 0, shape: tuple[int, ...] = FLAT) -> TensorSpec:
    return tensor(dtype, scale, zero, "y", shape)


X, X16, BOOL = tensor(), tensor("int16"), TensorSpec(FLAT, "bool", name="x")
SEVEN = (2, 1, 2, 1, 2, 1, 2)


@pytest.mark.parametrize(
    ("kind", "inputs", "output", "reason"),
    [
        ("ABS", [tensor("uint8")], y("uint8"), "x is uint8; ABS takes int8 or int16"),
        ("ABS", [X], y(scale=1e-12), "the scale of y is more than 2^30 times smaller"),
        ("ADD", [X16, X16], y("int16", zero=3), "y is int16 with zero point 3, not 0"),
        ("ADD", [X, tensor("int16", name="b")], y(), "b is int16; ADD takes int8 here"),
        ("DIV", [X, X], y(), "x is int8; DIV takes int32"),
        ("ELU", [tensor(scale=1e6)], y(scale=0.1), "the scale of y is more than 2^22 times smaller"),
        ("EXP", [X], y(scale=1e30), "y has scale 1e+30, whose inverse is out of reach"),
        ("HARD_SWISH", [X], y(scale=1e-3), "the scales of x and y are too far apart"),
        ("HARD_SWISH", [tensor(scale=1e-8)], y(scale=1e-8), "x has scale 1e-08, which 16-bit fixed point can't take"),
        ("L2_NORMALIZATION", [X], y(), "y has scale 0.5 and zero point 0, not 1/128 and 0"),
        ("L2_NORMALIZATION", [tensor(shape=(1,) * 5)], y(shape=(1,) * 5), "between 1 and 4 dimensions"),
        ("LESS", [tensor(scale=2.0), X], TensorSpec(FLAT, "bool"), "x has scale 2; LESS takes scales below 1"),
        ("LESS", [X16, X16], TensorSpec(FLAT, "bool"), "x is int16; LESS takes int8"),
        ("LOGICAL_AND", [X, X], TensorSpec(FLAT, "bool"), "x is int8; LOGICAL_AND takes bool"),
        ("LOGICAL_NOT", [BOOL], y(), "y is int8; LOGICAL_NOT takes bool"),
        ("LOGISTIC", [X16], y("int16"), "y has scale 0.5, not 2^-15"),
        ("LOGISTIC", [tensor("int16", 3.0)], y("int16", 2.0**-15), "x has scale 3, which the fixed-point"),
        ("LOG_SOFTMAX", [X], y(), "y has scale 0.5 and zero point 0, not 1/16 and 127"),
        ("LOG_SOFTMAX", [tensor(scale=1e-9)], y(scale=1 / 16, zero=127), "x has a scale too small"),
        ("MAXIMUM", [tensor(scale=None), X], y(), "x carries no quantisation"),
        ("NEG", [tensor(zero=3)], y(zero=3), "x has zero point 3, not 0"),
        ("NEG", [X], y(scale=0.25), "x and y have different scales or zero points"),
        ("PRELU", [X16, X16], y("int16"), "x is int16; PRELU takes int8 or uint8"),
        (
            "PRELU",
            [tensor("uint8", shape=(1,)), tensor("uint8", name="b")],
            y("uint8"),
            "x uint8[1] would have to repeat",
        ),
        ("QUANTIZE", [tensor("int32", None)], y(), "x carries no quantisation"),
        ("QUANTIZE", [tensor("uint8")], y("int16"), "y is int16; QUANTIZE takes int8 or uint8"),
        ("RELU6", [tensor("uint8")], y("uint8", 0.25), "x and y have different scales"),
        ("RSQRT", [X], y(), "x has zero point 0, not -128"),
        ("SQRT", [X], y(), "x has zero point 0, not -128"),
        ("SUB", [X, X], y(scale=1e-7), "the scale of y is more than 2^19 times smaller"),
        ("SUB", [tensor(shape=SEVEN), tensor(shape=(2,) * 7)], y(shape=(2,) * 7), "more than 6 dimensions"),
        ("TANH", [X], y(zero=3), "y has zero point 3, not 0"),
    ],
)
def test_limits_are_stated(kind: str, inputs: list[TensorSpec], output: TensorSpec, reason: str) -> None:
    blockers = inspect_blockers(single_op(kind, inputs, [output]))
    assert any(reason in blocker.reason for blocker in blockers), blockers


@pytest.mark.parametrize(("alpha", "reason"), [(-0.5, "negative ones work on 8-bit"), (np.nan, "its factor is nan")])
def test_slopes_have_limits(alpha: float, reason: str) -> None:
    blockers = inspect_blockers(single_op("LEAKY_RELU", [X16], [y("int16")], {"alpha": alpha}))
    assert any(reason in blocker.reason for blocker in blockers), blockers


FOLDED: list[tuple[str, str, str]] = [
    *(("SUB", "int32", activation) for activation in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")),
    *((kind, dtype, "") for kind in ("MAXIMUM", "MINIMUM") for dtype in ("int32", "int64")),
    ("SQUARED_DIFFERENCE", "int32", ""),
    *(
        (kind, dtype, "")
        for kind in ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
        for dtype in ("int32", "int64")
    ),
]


@pytest.mark.parametrize(("kind", "dtype", "activation"), FOLDED)
def test_integers_are_folded_as_tflm_computes_them(kind: str, dtype: str, activation: str) -> None:
    """TFLM is fed what we fold."""
    values = np.array([[7, -9, 2**30, -(2**31), 0, 3]], dtype), np.array([[3], [-2], [4]], dtype)
    options: dict[str, OptionValue] = {"fused_activation_function": activation} if activation else {}
    truth = not {"MAXIMUM", "MINIMUM", "SUB", "SQUARED_DIFFERENCE"} & {kind}
    output = TensorSpec((3, 6), "bool" if truth else dtype)
    fed = single_op(kind, [TensorSpec(v.shape, dtype) for v in values], [output], options)
    constants = single_op(kind, [TensorSpec(v.shape, dtype, data=v) for v in values], [output], options)
    folded = fold_constants(parse(constants, "net")).outputs[0]
    assert folded.data is not None
    np.testing.assert_array_equal(folded.data, run_tflm(fed, values)[0])


@pytest.mark.parametrize(
    ("kind", "golden"), [("DIV", run_tflm), ("FLOOR_DIV", run_litert_ref), ("FLOOR_MOD", run_litert_ref)]
)
def test_quotients_are_folded(kind: str, golden: Callable[..., list[Array]]) -> None:
    values = np.array([[7, -9, 2**30, -(2**31), 0, 3]], np.int32), np.array([[3], [-2], [4]], np.int32)
    output = TensorSpec((3, 6), "int32")
    fed = single_op(kind, [TensorSpec(v.shape, "int32") for v in values], [output])
    constants = single_op(kind, [TensorSpec(v.shape, "int32", data=v) for v in values], [output])
    folded = fold_constants(parse(constants, "net")).outputs[0]
    assert folded.data is not None
    np.testing.assert_array_equal(folded.data, golden(fed, values)[0])


@pytest.mark.parametrize(
    ("first", "second", "reason"), [(5, 0, "holds a 0 to divide by"), (-(2**31), -1, "more than 32 bits")]
)
def test_quotients_have_limits(first: int, second: int, reason: str) -> None:
    values = np.array([first], np.int32), np.array([second], np.int32)
    data = single_op("DIV", [TensorSpec((1,), "int32", data=v) for v in values], [TensorSpec((1,), "int32")])
    (op,) = parse(data, "net").ops
    assert any(reason in found for found in op.unsupported())


@pytest.mark.parametrize("kind", ["LOGICAL_AND", "LOGICAL_OR"])
def test_truths_are_folded(kind: str) -> None:
    values = np.array([False, False, True, True]), np.array([False, True, False, True])
    constants = single_op(kind, [TensorSpec(FLAT, "bool", data=v) for v in values], [TensorSpec(FLAT, "bool")])
    folded = fold_constants(parse(constants, "net")).outputs[0].data
    assert folded is not None
    assert folded.tolist() == {"LOGICAL_AND": [0, 0, 0, 1], "LOGICAL_OR": [0, 1, 1, 1]}[kind]


@pytest.mark.parametrize("scale", [2.0**-12, 2.0**-12 * 1.0005, 2.0**-12 * 1.001, 2.0**-11, 2.0**-13, 1e-9, 2.6])
@pytest.mark.parametrize("kind", ["LOGISTIC", "TANH"])
def test_every_int16_value(kind: str, scale: float) -> None:
    """Scales near powers of two have a path of their own in TFLM."""
    values = np.arange(-(2**15), 2**15).astype(np.int16)
    shape = values.shape
    model = single_op(kind, [tensor("int16", scale, shape=shape)], [y("int16", 2.0**-15, shape=shape)])
    graph = parse(model, "net")
    assert not [*graph.ops[0].unsupported()]
    np.testing.assert_array_equal(graph.ops[0].reference([values])[0], run_tflm(model, [values])[0])
