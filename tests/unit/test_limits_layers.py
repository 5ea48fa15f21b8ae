"""What layers with weights refuse, in words; and what they do with odd but valid files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from tecompile.errors import InvalidInput
from tecompile.frontend import UnsupportedModel, check_supported, inspect_blockers, parse, with_rounding
from tecompile.passes import simplify
from tests.tools.tflite_writer import OptionValue, TensorSpec, single_op

STEPS: Mapping[str, OptionValue] = {"stride_h": 1, "stride_w": 1, "padding": "SAME"}
IMAGE = (1, 4, 4, 2)
Inputs = Sequence[TensorSpec]


def tensor(
    shape: tuple[int, ...], dtype: str = "int16", scale: float | None = 0.5, zero: int = 0, name: str = "x"
) -> TensorSpec:
    return TensorSpec(shape, dtype, scale, zero, name=name)


def weights(
    shape: tuple[int, ...], zero: int = 0, dtype: str = "int8", scale: float | tuple[float, ...] = 0.5
) -> TensorSpec:
    return TensorSpec(shape, dtype, scale, zero, data=np.ones(shape, dtype), name="w")


def bias(value: int, dtype: str, count: int = 2) -> TensorSpec:
    return TensorSpec((count,), dtype, data=np.full(count, value, dtype), name="b")


def shape_of(*sizes: int) -> TensorSpec:
    return TensorSpec((4,), "int32", data=np.array(sizes, np.int32))


def reasons(kind: str, inputs: Inputs, y: TensorSpec, options: Mapping[str, OptionValue] | None = None) -> str:
    return "; ".join(b.reason for b in inspect_blockers(single_op(kind, inputs, [y], options or {})))


W = weights((2, 1, 1, 2))
Y16 = tensor(IMAGE, name="y")


@pytest.mark.parametrize(
    ("kind", "inputs", "y", "reason"),
    [
        ("CONV_2D", [tensor(IMAGE, zero=3), W], Y16, "x has a zero point other than 0, which int16 layers do not take"),
        ("CONV_2D", [tensor(IMAGE, scale=None), W], Y16, "x carries no quantisation"),
        ("CONV_2D", [tensor(IMAGE), W], tensor(IMAGE, "int8", name="y"), "y is int8; CONV_2D takes int16 here"),
        ("CONV_2D", [tensor(IMAGE), W, bias(1 << 46, "int64")], Y16, "bias b has values beyond 46 bits"),
        ("CONV_2D", [tensor(IMAGE), W, bias(1, "int16")], Y16, "b is int16; CONV_2D takes int32 or int64 here"),
        ("CONV_2D", [tensor(IMAGE), W], tensor(IMAGE, scale=1e-4, name="y"), "more than 2^7 times smaller"),
        (
            "DEPTHWISE_CONV_2D",
            [tensor(IMAGE), weights((1, 1, 1, 2)), bias(1, "int32")],
            Y16,
            "b is int32; DEPTHWISE_CONV_2D takes int64 here",
        ),
        (
            "CONV_2D",
            [tensor(IMAGE, "uint8"), weights((2, 1, 1, 2), 0, "uint8", (0.5, 0.25))],
            tensor(IMAGE, "uint8", name="y"),
            "w is quantised per channel where one scale is needed",
        ),
        (
            "TRANSPOSE_CONV",
            [shape_of(*IMAGE), weights((2, 1, 1, 2), zero=1), tensor(IMAGE, "int8")],
            tensor(IMAGE, "int8"),
            "w has a zero point other than 0",
        ),
        (
            "TRANSPOSE_CONV",
            [shape_of(*IMAGE), W, tensor(IMAGE), bias(1, "int32")],
            Y16,
            "b is int32; TRANSPOSE_CONV takes int64 or int16 here",
        ),
        (
            "FULLY_CONNECTED",
            [tensor((2, 3)), tensor((4, 3), "int8", name="w")],
            tensor((2, 4)),
            "int16 weights, or rounded as LiteRT does, w is computed at run time",
        ),
        (
            "BATCH_MATMUL",
            [tensor((1, 1, 1, 1, 2, 3)), tensor((3, 4))],
            tensor((1, 1, 1, 1, 2, 4)),
            "BATCH_MATMUL with more than 5 axes",
        ),
        ("BATCH_MATMUL", [tensor((2, 3), zero=1), tensor((3, 4))], tensor((2, 4)), "with a zero point other than 0"),
        (
            "BATCH_MATMUL",
            [tensor((2, 3)), tensor((3, 4), "int8", name="b")],
            tensor((2, 4)),
            "b is int8; BATCH_MATMUL takes int16 here",
        ),
    ],
)
def test_limits_are_stated(kind: str, inputs: Inputs, y: TensorSpec, reason: str) -> None:
    options = STEPS if "CONV" in kind else {}
    assert reason in reasons(kind, inputs, y, options)


@pytest.mark.parametrize(
    ("kind", "inputs", "y", "reason"),
    [
        ("BATCH_MATMUL", [tensor((2, 3)), tensor((4, 5))], tensor((2, 5)), "sums 3 and 4 products"),
        ("BATCH_MATMUL", [tensor((2, 2, 3)), tensor((3, 3, 5))], tensor((2, 2, 5)), "do not fit each other"),
        ("BATCH_MATMUL", [tensor((3,)), tensor((3, 5))], tensor((5,)), "are not both matrices"),
        (
            "TRANSPOSE_CONV",
            [shape_of(*IMAGE), weights((2, 1, 1, 3)), tensor(IMAGE)],
            tensor(IMAGE),
            r"its inputs give \[1,4,4,3\]",
        ),
        ("TRANSPOSE_CONV", [shape_of(*IMAGE), weights((2, 2)), tensor(IMAGE)], tensor(IMAGE), "w has rank 2"),
    ],
)
def test_contradictions_are_damage(kind: str, inputs: Inputs, y: TensorSpec, reason: str) -> None:
    options = STEPS if "CONV" in kind else {}
    with pytest.raises(InvalidInput, match=reason):
        parse(single_op(kind, inputs, [y], options), "net")


def test_int16_is_not_rounded_as_litert_does() -> None:
    data = single_op("FULLY_CONNECTED", [tensor((2, 3)), weights((4, 3))], [tensor((2, 4), name="y")], {})
    with pytest.raises(UnsupportedModel, match="only rounded as TFLM does"):
        check_supported(simplify(with_rounding(parse(data, "net"), "litert")))


def test_groups_of_one_channel_are_a_depthwise_convolution() -> None:
    inputs = [tensor((1, 4, 4, 2), "int8"), weights((6, 3, 3, 1))]
    graph = simplify(parse(single_op("CONV_2D", inputs, [tensor((1, 4, 4, 6), "int8", name="y")], STEPS), "net"))
    assert [op.kind for op in graph.ops] == ["DEPTHWISE_CONV_2D"]


def test_a_constant_matrix_is_a_fully_connected_layer() -> None:
    inputs = [tensor((2, 5, 3), "int8"), weights((3, 4), zero=7)]
    graph = simplify(parse(single_op("BATCH_MATMUL", inputs, [tensor((2, 5, 4), "int8", name="y")], {}), "net"))
    check_supported(graph)
    assert [op.kind for op in graph.ops] == ["FULLY_CONNECTED"]


def test_the_shape_given_to_a_transposed_convolution_is_not_read() -> None:
    """Inputs of the model stay, even if nothing reads them."""
    inputs = [TensorSpec((4,), "int32", name="shape"), W, tensor(IMAGE, "int8")]
    graph = simplify(parse(single_op("TRANSPOSE_CONV", inputs, [tensor(IMAGE, "int8", name="y")], STEPS), "net"))
    check_supported(graph)
    assert [t.name for t in graph.inputs] == ["shape", "x"]
    assert [t.name for t in graph.ops[0].activations] == ["x"]
