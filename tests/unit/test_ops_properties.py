"""What operators say of themselves: windows, limits, work; and the rounding LiteRT uses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tecompile.frontend import inspect_blockers, parse, with_rounding
from tecompile.graph import Array, Op, Region, Span, Tensor
from tecompile.interpret import run
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tests.operators import STRATEGIES, STREAMING
from tests.tools import cases
from tests.tools.cases import Case, Layer, Operand, Quant, Source, Window
from tests.tools.golden import run_litert_ref
from tests.tools.tflite_writer import OptionValue, TensorSpec, single_op


def only_op(data: bytes) -> Op:
    return parse(data, "net").ops[0]


# --- windows --------------------------------------------------------------------------------------


def as_image(value: Array, tensor: Tensor) -> Array:
    return value.reshape(tensor.image)


def cut(value: Array, tensor: Tensor, region: Region) -> Array:
    """The part of a value that a region covers."""
    image = as_image(value, tensor)
    return image[region.rows.start : region.rows.stop, region.columns.start : region.columns.stop]


def scrambled(value: Array, tensor: Tensor, kept: Region) -> Array:
    """Other values everywhere outside a region."""
    noise = np.random.default_rng(3).integers(0, 100, tensor.image).astype(value.dtype)
    cut(noise, tensor, kept)[...] = cut(value, tensor, kept)
    return noise.reshape(value.shape)


def spans(draw: st.DrawFn, size: int) -> Span:
    start = draw(st.integers(0, size - 1))
    return Span(start, draw(st.integers(start + 1, size)))


@st.composite
def windowed(draw: st.DrawFn, kind: str) -> tuple[Case, Region]:
    case = draw(STRATEGIES[kind])
    image = only_op(case.model).y.image
    return case, Region(spans(draw, image.rows), spans(draw, image.columns))


@pytest.mark.parametrize("kind", STREAMING)
@settings(max_examples=10, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_window_holds_all_that_is_needed(kind: str, data: st.DataObject) -> None:
    case, region = data.draw(windowed(kind))
    op = only_op(case.model)
    values = dict(zip(op.activations, case.inputs, strict=True))
    full = [None if t is None else values.get(t, t.data) for t in op.inputs]
    partial = list(full)
    for i, (t, value) in enumerate(zip(op.inputs, full, strict=True)):
        if t is not None and value is not None and not t.is_constant and op.streams:
            partial[i] = scrambled(value, t, op.window(i, region))
    expected, found = op.reference(full)[0], op.reference(partial)[0]
    np.testing.assert_array_equal(cut(found, op.y, region), cut(expected, op.y, region))


@pytest.mark.parametrize("kind", STREAMING)
@settings(max_examples=10, deadline=None, derandomize=True)
@given(data=st.data())
def test_windows_move_on_with_the_rows_and_stay_inside(kind: str, data: st.DataObject) -> None:
    op = only_op(data.draw(STRATEGIES[kind]).model)
    for i, source in enumerate(op.inputs):
        if source is None or source.is_constant:
            continue
        columns = Span(0, op.y.image.columns)
        rows = [op.window(i, Region(Span(r, r + 1), columns)).rows for r in range(op.y.image.rows)]
        assert rows == sorted(rows)
        assert [span.stop for span in rows] == sorted(span.stop for span in rows)
        assert all(0 <= span.start <= span.stop <= source.image.rows for span in rows)


def test_the_window_of_a_strided_convolution() -> None:
    layer = Layer(Quant(1.0), Quant(1.0), (0.01,))
    op = only_op(cases.conv_2d((9, 8, 1), 1, Window((3, 3), (2, 2)), layer).model)
    assert op.window(0, Region(Span(0, 1), Span(0, 4))) == (Span(0, 2), Span(0, 8))
    assert op.window(0, Region(Span(2, 4), Span(1, 2))) == (Span(3, 8), Span(2, 5))


# --- limits ---------------------------------------------------------------------------------------


def int8(shape: tuple[int, ...], scale: float | None = 0.5, zero_point: int = 3, name: str = "x") -> TensorSpec:
    return TensorSpec(shape, "int8", scale, zero_point, name=name)


def weights(
    shape: tuple[int, ...], scale: float | tuple[float, ...] = 0.5, zero: int | tuple[int, ...] = 0, axis: int = 0
) -> TensorSpec:
    return TensorSpec(shape, "int8", scale, zero, axis, np.ones(shape, np.int8), "w")


def table(*values: float, dtype: str = "int32") -> TensorSpec:
    return TensorSpec((len(values),), dtype, data=np.array(values, dtype), name="table")


Options = Mapping[str, OptionValue]


def model(kind: str, inputs: list[TensorSpec], y: TensorSpec, options: Options | None = None) -> bytes:
    return single_op(kind, inputs, [y], options or {})


IMAGE = (1, 4, 4, 2)
STEPS: dict[str, OptionValue] = {"stride_h": 1, "stride_w": 1, "padding": "SAME"}
POOL: dict[str, OptionValue] = {**STEPS, "filter_height": 1, "filter_width": 1}
Y = int8(IMAGE, name="y")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (model("CONV_2D", [int8((17, 4, 4, 2)), weights((2, 1, 1, 2))], int8((17, 4, 4, 2)), STEPS), "x has batch 17"),
        (model("CONV_2D", [int8((1, 4, 4, 3)), weights((2, 1, 1, 2))], Y, STEPS), "grouped convolution"),
        (model("CONV_2D", [int8(IMAGE), weights((2, 1, 1, 2), zero=1)], Y, STEPS), "w has a zero point other than 0"),
        (model("CONV_2D", [int8(IMAGE, None), weights((2, 1, 1, 2))], Y, STEPS), "x carries no quantisation"),
        (
            model("CONV_2D", [int8(IMAGE), weights((2, 1, 1, 2), (0.5, 0.25), axis=3)], Y, STEPS),
            "w is quantised along axis 3 instead of 0",
        ),
        (
            model("CONV_2D", [int8(IMAGE), weights((2, 1, 1, 2))], int8(IMAGE, 1e-30, name="y"), STEPS),
            "the scale of y is more than 2^30 times smaller",
        ),
        (
            model("CONV_2D", [int8(IMAGE), int8((2, 1, 1, 2), name="w")], Y, STEPS),
            "weights or bias w is computed at run time",
        ),
        (
            model("DEPTHWISE_CONV_2D", [int8(IMAGE), weights((1, 1, 1, 2), (0.5,) * 2, axis=3, zero=(0, 1))], Y, STEPS),
            "w has a zero point other than 0",
        ),
        (
            model("FULLY_CONNECTED", [int8((1, 2)), weights((3, 2))], int8((1, 3)), {"weights_format": 1}),
            "shuffled weights (SHUFFLED4x16INT8)",
        ),
        (
            model("FULLY_CONNECTED", [int8((1, 2)), weights((3, 2), (0.5,) * 3, zero=(0, 0, 1))], int8((1, 3))),
            "w has per-channel zero points other than 0",
        ),
        (
            model("ADD", [int8((4,)), int8((4,))], int8((4,), 2.0**-21, name="y")),
            "the scale of y is more than 2^19 times smaller",
        ),
        (model("MAX_POOL_2D", [int8(IMAGE)], int8(IMAGE, 0.6), POOL), "MAX_POOL_2D does not rescale"),
        (model("AVERAGE_POOL_2D", [int8(IMAGE)], int8(IMAGE, 0.5, 4), POOL), "AVERAGE_POOL_2D does not rescale"),
        (model("PAD", [int8((2,)), table(0, 0)], int8((2,), 0.6)), "PAD does not rescale"),
        (model("PAD", [int8((2,)), table(0, 0, dtype="float32")], int8((2,))), "table is float32"),
        (model("MEAN", [int8((2, 2)), table(0, dtype="float32")], int8((2,))), "table is float32"),
        (model("MEAN", [int8((2, 2)), table(0)], int8((2,), 1e-30)), "more than 2^30 times smaller"),
        (model("RELU", [int8((4,))], int8((4,), 1e-30)), "more than 2^30 times smaller"),
        (model("QUANTIZE", [int8((4,))], int8((4,), 1e-30)), "more than 2^30 times smaller"),
        (model("SOFTMAX", [int8((1, 4))], int8((1, 4), name="y"), {"beta": 1.0}), "y has scale 0.5 and zero point 3"),
        (
            model("SOFTMAX", [int8((1, 4), 2.0**-30)], int8((1, 4), 1 / 256, -128), {"beta": 1.0}),
            "x has a scale too small for the fixed-point exponential",
        ),
        (
            model("SOFTMAX", [int8((1, 4096))], int8((1, 4096), 1 / 256, -128), {"beta": 1.0}),
            "the last axis must hold 1 to 4095 values",
        ),
        (model("RESHAPE", [TensorSpec((4,), "float32", name="x")], TensorSpec((2, 2), "float32")), "x is float32"),
        (model("MUL", [int8((4,)), int8((4,))], int8((4,), 1e-30)), "more than 2^30 times smaller"),
        (
            model("MUL", [TensorSpec((4,), "int32", name="x"), table(1, 2, 3, 4)], TensorSpec((4,), "int32")),
            "x is int32; MUL takes int8 or uint8 or int16 here",
        ),
        (
            model(
                "ADD",
                [TensorSpec((1,), "int32"), table(1)],
                TensorSpec((1,), "int32"),
                {"fused_activation_function": 1},
            ),
            "fused activation of an int32 sum",
        ),
        (model("CONCATENATION", [int8((2,)), int8((2,), 0.6)], int8((4,)), {"axis": 0}), "does not rescale"),
        (
            model("CONCATENATION", [int8((2,))], int8((2,)), {"axis": 0, "fused_activation_function": "RELU"}),
            "fused activation RELU",
        ),
        (model("CONCATENATION", [int8((1,), name=f"x{i}") for i in range(17)], int8((17,)), {"axis": 0}), "17 inputs"),
        (
            model("RESIZE_NEAREST_NEIGHBOR", [int8(IMAGE), TensorSpec((2,), "int32", name="size")], Y),
            "size size is computed at run time",
        ),
        (model("LOGISTIC", [int8((4,))], int8((4,), 1 / 256, 0, "y")), "y has zero point 0, not -128"),
        (model("LOGISTIC", [int8((4,), 1e-9)], int8((4,), 1 / 256, -128)), "x has scale 1e-09, which the fixed"),
    ],
)
def test_limits_are_stated(data: bytes, reason: str) -> None:
    assert any(reason in blocker.reason for blocker in inspect_blockers(data)), inspect_blockers(data)


def test_pools_take_scales_for_equal_that_nearly_are() -> None:
    """As TFLM does, whose tolerance is absolute."""
    data = model("MAX_POOL_2D", [int8(IMAGE, 0.5)], int8(IMAGE, 0.5 + 2.0**-23), POOL)
    assert inspect_blockers(data) == ()


def test_long_softmax_rows_of_equal_values_are_all_zero() -> None:
    """TFLM aborts here; a sum of 512 exponentials and more leaves nothing above half a step."""
    y = TensorSpec((1, 600), "int8", 1 / 256, -128)
    data = single_op("SOFTMAX", [int8((1, 600))], [y], {"beta": 1.0})
    assert np.unique(run(parse(data, "net"), [np.zeros((1, 600), np.int8)])[0]).tolist() == [-128]


def test_work_is_counted_in_products() -> None:
    layer = Layer(Quant(1.0), Quant(1.0), (0.01,))
    window = Window((3, 2), (2, 2))
    assert only_op(cases.conv_2d((8, 6, 5), 7, window, layer).model).macs == 4 * 3 * 7 * 3 * 2 * 5
    dw = only_op(cases.depthwise_conv_2d((8, 6, 5), 2, window, layer).model)
    assert isinstance(dw, DepthwiseConv2D)
    assert (dw.macs, dw.multiplier) == (4 * 3 * 10 * 3 * 2, 2)
    assert only_op(cases.fully_connected((3, 20), 20, 4, layer).model).macs == 3 * 20 * 4
    quant = Quant(1.0)
    assert only_op(cases.add(Operand((4,), quant), Operand((4,), quant), quant, "NONE", Source()).model).macs == 0


# --- LiteRT ---------------------------------------------------------------------------------------


def fully_connected_cases() -> list[Case]:
    """Scales that are no powers of two: LiteRT rounds ties away from zero, we and CMSIS-NN up."""
    found = []
    for seed in range(12):
        layer = Layer(Quant(0.037, 5), Quant(0.41, -9), (0.0013,), weights=Source(seed), inputs=Source(seed + 99))
        found.append(cases.fully_connected((40, 60), 60, 9, layer))
    return found


def test_litert_rounds_fully_connected_once() -> None:
    differing = 0
    for case in fully_connected_cases():
        graph = parse(case.model, "net")
        golden = run_litert_ref(case.model, case.inputs)[0]
        np.testing.assert_array_equal(run(with_rounding(graph, "litert"), case.inputs)[0], golden)
        differing += int((run(graph, case.inputs)[0] != golden).sum())
    assert differing > 0  # otherwise the test would show nothing
