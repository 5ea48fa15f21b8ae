"""Limits of resizing, reductions, pools and softmax, and what hostile files may claim about them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tecompile.errors import TecompileError
from tecompile.frontend import inspect_blockers, parse
from tecompile.graph import DType, Graph, Node, Op, Quant, Rounding, Tensor
from tecompile.ops.arg_extreme import ArgMax
from tecompile.ops.cumsum import CumSum
from tecompile.ops.mean import Mean, Sum
from tecompile.ops.pool2d import AveragePool2D, MaxPool2D
from tecompile.ops.reduce_extreme import ReduceMax
from tecompile.ops.reduce_truth import ReduceAll
from tecompile.ops.relu import Relu
from tecompile.ops.resize_bilinear import ResizeBilinear
from tecompile.ops.softmax import Softmax
from tecompile.passes.drop_identities import drop_identities
from tests.tools.tflite_writer import OptionValue, TensorSpec, single_op

IMAGE = (1, 4, 4, 2)
Options = Mapping[str, OptionValue]


def typed(
    shape: tuple[int, ...], dtype: str = "int8", scale: float | None = 0.5, zero: int = 3, name: str = "x"
) -> TensorSpec:
    return TensorSpec(shape, dtype, scale, 0 if dtype == "int16" and zero == 3 else zero, name=name)


def table(*values: int, dtype: str = "int32") -> TensorSpec:
    return TensorSpec((len(values),), dtype, data=np.array(values, dtype), name="table")


def model(kind: str, inputs: list[TensorSpec], y: TensorSpec, options: Options | None = None) -> bytes:
    return single_op(kind, inputs, [y], options or {})


BOTH: Options = {"align_corners": True, "half_pixel_centers": True}
WIDE: Options = {"filter_height": 300, "filter_width": 300, "stride_h": 1, "stride_w": 1, "padding": "VALID"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (model("RESIZE_BILINEAR", [typed(IMAGE), table(2, 2)], typed((1, 2, 2, 2)), BOTH), "which TFLite refuses"),
        (model("RESIZE_BILINEAR", [typed((1, 2, 2, 1)), table(2, 300)], typed((1, 2, 300, 1))), "reads beyond the end"),
        (
            model("RESIZE_BILINEAR", [typed(IMAGE, "uint8"), table(3, 4)], typed((1, 3, 4, 2), "uint8")),
            "uint8 takes ratios whose weights are multiples of 1/256",
        ),
        (
            model("RESIZE_BILINEAR", [typed(IMAGE), TensorSpec((2,), "int32", name="size")], typed(IMAGE)),
            "size size is computed at run time",
        ),
        (model("RESIZE_BILINEAR", [typed(IMAGE), table(4, 4)], typed(IMAGE, "int16", name="y")), "differ in type"),
        (
            model("CUMSUM", [typed((4,)), table(0)], typed((4,), scale=1e-7, name="y")),
            "the scale of y is more than 2^19",
        ),
        (model("REDUCE_ALL", [typed((2, 2)), table(0)], typed((2,))), "x is int8; REDUCE_ALL takes bool here"),
        (model("REDUCE_MAX", [typed((2, 2)), table(0)], typed((2,), scale=0.6)), "REDUCE_MAX does not rescale"),
        (model("SUM", [typed((2, 2)), table(0)], typed((2,), scale=1e-30)), "more than 2^30 times smaller"),
        (model("SUM", [typed((2, 2)), TensorSpec((1,), "int32", name="a")], typed((2,))), "axes a is computed"),
        (model("MEAN", [typed((2, 2), "int16", None, name="x"), table(0)], typed((2,), "int16")), "no quantisation"),
        (model("ARG_MAX", [typed((2, 2), "int16"), table(0)], TensorSpec((2,), "int32")), "x is int16"),
        (model("ARG_MAX", [typed((2, 2)), table(0)], typed((2,), name="y")), "y is int8"),
        (model("AVERAGE_POOL_2D", [typed((1, 300, 300, 1), "int16")], typed((1, 1, 1, 1), "int16"), WIDE), "32 bits"),
        (model("SOFTMAX", [typed((1, 4), "int16")], typed((1, 4), "int16", name="y")), "not 1/32768 and 0"),
        (model("SOFTMAX", [typed((1, 4))], typed((1, 4), "int16", 2.0**-16, 0, "y")), "not 1/65536 and -32768"),
        (model("SOFTMAX", [typed((1, 4), "int16")], typed((1, 4), name="y")), "y is int8 where x is int16"),
        (
            model("SOFTMAX", [typed((1, 4), "int16", 99.0)], typed((1, 4), "int16", 2.0**-15), {"beta": 1.0}),
            "x has scale 99, which the table of exponentials can't take",
        ),
    ],
)
def test_limits_are_stated(data: bytes, reason: str) -> None:
    assert any(reason in blocker.reason for blocker in inspect_blockers(data)), inspect_blockers(data)


@pytest.mark.parametrize(
    "data",
    [
        model("SUM", [typed((2, 2)), table(2)], typed((2,))),
        model("REDUCE_MIN", [typed((2, 2)), table(0)], typed((3,))),
        model("ARG_MIN", [typed((2, 2)), table(0, 1)], TensorSpec((2,), "int32")),
        model("ARG_MAX", [typed((2, 2)), table(-3)], TensorSpec((2,), "int32")),
        model("CUMSUM", [typed((2, 2)), table(2)], typed((2, 2))),
        model("CUMSUM", [typed((2, 2)), table(0, 1)], typed((2, 2))),
        model("RESIZE_BILINEAR", [typed(IMAGE), table(2, 3)], typed((1, 3, 2, 2))),
        model("RESIZE_BILINEAR", [typed((4, 4)), table(2, 3)], typed((2, 3))),
    ],
)
def test_contradictions_are_found(data: bytes) -> None:
    with pytest.raises(TecompileError):
        parse(data, "net")


@pytest.mark.parametrize(
    "data",
    [
        model("RESIZE_BILINEAR", [typed(IMAGE), table(4, 4)], typed(IMAGE, name="y"), {"half_pixel_centers": True}),
        model("SUM", [typed((1, 1, 4)), table(0, 1)], typed((1, 1, 4), name="y"), {"keep_dims": True}),
        model("MEAN", [typed((1, 1, 4)), table(1)], typed((1, 1, 4), name="y"), {"keep_dims": True}),
        model("REDUCE_MIN", [typed((1, 1, 4)), table(1)], typed((1, 1, 4), name="y"), {"keep_dims": True}),
    ],
)
def test_what_changes_nothing_can_be_left_out(data: bytes) -> None:
    """Between others; alone, input and output keep their names."""
    op = parse(data, "net").ops[0]
    last = Relu(1, (op.y,), (Tensor("z", op.y.shape, DType.INT8, Quant((0.25,), (0,))),), Rounding.DOUBLE)
    graph = drop_identities(Graph("net", (op, last), (op.x,), last.outputs))
    assert graph.ops[0].inputs == (op.x,)
    every = np.arange(256, dtype=np.uint8).view(np.int8)
    values = np.resize(every, op.x.shape)
    np.testing.assert_array_equal(op.reference([values, None])[0], values)


QUANTS = st.one_of(
    st.none(),
    st.builds(Quant, st.tuples(st.sampled_from([1e-30, 0.5, 1e30])), st.tuples(st.sampled_from([-128, 0, 3]))),
    st.just(Quant((0.5, 0.25), (0, 0), 0)),
)
CLASSES = (ArgMax, AveragePool2D, CumSum, MaxPool2D, Mean, ReduceAll, ReduceMax, ResizeBilinear, Softmax, Sum)
SHAPES = (
    st.lists(st.sampled_from([1, 2, 3, 1 << 17]), max_size=8)
    .map(tuple)
    .filter(lambda shape: math.prod(shape) < 1 << 31)
)


@st.composite
def tensors(draw: st.DrawFn, name: str) -> Tensor:
    """Anything; constants are small."""
    shape, dtype = draw(SHAPES), draw(st.sampled_from(DType))
    if draw(st.booleans()) and math.prod(shape) < 9:
        return Tensor(name, shape, dtype, None, np.full(shape, draw(st.integers(0, 3)), dtype.numpy))
    return Tensor(name, shape, dtype, draw(QUANTS))


@pytest.mark.parametrize("cls", CLASSES)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_questions_are_answered_without_an_exception(cls: type[Op], data: st.DataObject) -> None:
    inputs = tuple(data.draw(tensors(name)) for name in "xs"[: cls.arity[1]])
    options = {"filter_height": 2, "filter_width": 1, "align_corners": data.draw(st.booleans())}
    try:
        op = cls.from_options(Node(0, cls.kind, inputs, (data.draw(tensors("y")),), options))
    except TecompileError:
        return
    assert all(isinstance(reason, str) for reason in (*op.invalid(), *op.unsupported()))
