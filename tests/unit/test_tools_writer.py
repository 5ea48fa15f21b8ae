"""The TFLite writer: what it writes reads back, loads, and computes what a person computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tflite

from tests.tools import tflite_writer as writer
from tests.tools.golden import run_litert_ref, run_tflm, run_tflm_frames
from tests.tools.tflite_writer import ModelSpec, OpSpec, SubgraphSpec, TensorSpec, single_op, write_model

KINDS = [kind for kind in vars(tflite.BuiltinOperator) if kind.isupper()]


def int8(*values: int, shape: tuple[int, ...]) -> Any:
    return np.array(values, np.int8).reshape(shape)


def read(model: bytes) -> Any:
    return tflite.Model.GetRootAs(model)


def plain(kind: str, options: dict[str, Any]) -> bytes:
    tensor = TensorSpec((2,), "int8", 1.0)
    return single_op(kind, [tensor], [tensor], options)


def option(model: bytes, table: str, name: str) -> Any:
    union = read(model).Subgraphs(0).Operators(0).BuiltinOptions()
    options = getattr(tflite, table)()
    options.Init(union.Bytes, union.Pos)
    return getattr(options, name)()


# --- the file -------------------------------------------------------------------------------------


def test_file_carries_the_identifier_and_the_description() -> None:
    model = write_model(ModelSpec((), (), (), (), description="nothing"))
    assert model[4:8] == b"TFL3"
    assert read(model).Description() == b"nothing"


@pytest.mark.parametrize("size", [1, 3, 16, 33, 1000])
def test_buffers_are_aligned_in_the_file(size: int) -> None:
    data = np.full(size, 91, np.uint8)
    constants = [TensorSpec((size,), "uint8", data=data), TensorSpec((1,), "int32", data=np.array([7], np.int32))]
    model = single_op("ADD", constants, [TensorSpec((size,), "uint8")])
    assert model.index(data.tobytes()) % writer.BUFFER_ALIGNMENT == 0
    assert read(model).Buffers(0).DataLength() == 0
    assert [read(model).Buffers(i).DataLength() for i in (1, 2)] == [size, 4]


@pytest.mark.parametrize(("kind", "deprecated", "code"), [("CONV_2D", 3, 3), ("GELU", 127, 150)])
def test_both_opcode_fields_are_written(kind: str, deprecated: int, code: int) -> None:
    opcode = read(plain(kind, {})).OperatorCodes(0)
    assert opcode.DeprecatedBuiltinCode() == deprecated
    assert opcode.BuiltinCode() == code


def test_opcodes_are_shared_by_operators_of_one_kind_and_version() -> None:
    tensor = TensorSpec((2,), "int8", 1.0)
    kinds = [OpSpec(kind, (0,), (1,), version=version) for kind, version in [("RELU", 1), ("RELU", 2), ("RELU", 1)]]
    model = read(write_model(ModelSpec((tensor, tensor), tuple(kinds), (0,), (1,))))
    operators = [model.Subgraphs(0).Operators(i) for i in range(3)]
    assert model.OperatorCodesLength() == 2
    assert [operator.OpcodeIndex() for operator in operators] == [0, 1, 0]


def test_tensors_keep_what_they_are_given() -> None:
    spec = TensorSpec((2, 3), "int16", (0.5, 0.25), (0, 7), axis=1, name="t", shape_signature=(-1, 3))
    tensor = read(single_op("RELU", [spec], [spec])).Subgraphs(0).Tensors(0)
    quantization = tensor.Quantization()
    assert tensor.ShapeAsNumpy().tolist() == [2, 3]
    assert tensor.ShapeSignatureAsNumpy().tolist() == [-1, 3]
    assert (tensor.Type(), tensor.Name(), tensor.Buffer()) == (tflite.TensorType.INT16, b"t", 0)
    assert quantization.ScaleAsNumpy().tolist() == [0.5, 0.25]
    assert quantization.ZeroPointAsNumpy().tolist() == [0, 7]
    assert quantization.QuantizedDimension() == 1


def test_absent_inputs_and_constants_are_no_model_inputs() -> None:
    fed, fixed = TensorSpec((1,), "int8", 1.0), TensorSpec((1,), "int8", 1.0, data=np.zeros(1, np.int8))
    graph = read(single_op("FULLY_CONNECTED", [fed, fixed, None], [fed])).Subgraphs(0)
    assert graph.Operators(0).InputsAsNumpy().tolist() == [0, 1, -1]
    assert graph.InputsAsNumpy().tolist() == [0]
    assert graph.OutputsAsNumpy().tolist() == [2]


# --- options --------------------------------------------------------------------------------------

OPTIONS: list[tuple[str, dict[str, Any], str, str, Any]] = [
    ("CONV_2D", {"padding": "VALID", "stride_w": 3}, "Conv2DOptions", "StrideW", 3),
    ("CONV_2D", {"padding": "VALID"}, "Conv2DOptions", "Padding", tflite.Padding.VALID),
    ("DEPTHWISE_CONV_2D", {"dilation_h_factor": 2}, "DepthwiseConv2DOptions", "DilationHFactor", 2),
    ("ADD", {"fused_activation_function": "RELU6"}, "AddOptions", "FusedActivationFunction", 3),
    ("MUL", {"fused_activation_function": 1}, "MulOptions", "FusedActivationFunction", 1),
    ("MAX_POOL_2D", {"filter_height": 4}, "Pool2DOptions", "FilterHeight", 4),
    ("REDUCE_MAX", {"keep_dims": True}, "ReducerOptions", "KeepDims", True),
    ("CONCATENATION", {"axis": -1}, "ConcatenationOptions", "Axis", -1),
    ("STRIDED_SLICE", {"begin_mask": 5}, "StridedSliceOptions", "BeginMask", 5),
    ("PACK", {"values_count": 3}, "PackOptions", "ValuesCount", 3),
    ("RESIZE_BILINEAR", {"half_pixel_centers": True}, "ResizeBilinearOptions", "HalfPixelCenters", True),
    ("RESIZE_NEAREST_NEIGHBOR", {"align_corners": True}, "ResizeNearestNeighborOptions", "AlignCorners", True),
    ("LEAKY_RELU", {"alpha": 0.25}, "LeakyReluOptions", "Alpha", 0.25),
    ("TRANSPOSE_CONV", {"stride_h": 2}, "TransposeConvOptions", "StrideH", 2),
    ("SVDF", {"rank": 2}, "SVDFOptions", "Rank", 2),
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", {"cell_clip": 10.0}, "UnidirectionalSequenceLSTMOptions", "CellClip", 10.0),
    ("MIRROR_PAD", {"mode": "SYMMETRIC"}, "MirrorPadOptions", "Mode", tflite.MirrorPadMode.SYMMETRIC),
    ("CAST", {"in_data_type": "INT8"}, "CastOptions", "InDataType", tflite.TensorType.INT8),
    ("SHAPE", {"out_type": "INT64"}, "ShapeOptions", "OutType", tflite.TensorType.INT64),
    ("VAR_HANDLE", {"shared_name": "state"}, "VarHandleOptions", "SharedName", b"state"),
]


@pytest.mark.parametrize(("kind", "options", "table", "reader", "value"), OPTIONS)
def test_options_read_back(kind: str, options: dict[str, Any], table: str, reader: str, value: Any) -> None:
    assert option(plain(kind, options), table, reader) == value


@pytest.mark.parametrize(
    ("kind", "name", "values", "table"),
    [
        ("RESHAPE", "new_shape", [1, -1], "ReshapeOptions"),
        ("SQUEEZE", "squeeze_dims", [], "SqueezeOptions"),
        ("BUCKETIZE", "boundaries", [0.5, 2.0], "BucketizeOptions"),
    ],
)
def test_vector_options_read_back(kind: str, name: str, values: list[float], table: str) -> None:
    reader = "".join(part.capitalize() for part in name.split("_")) + "AsNumpy"
    assert option(plain(kind, {name: values}), table, reader).tolist() == values


def test_every_option_table_belongs_to_an_operator() -> None:
    unions = (tflite.BuiltinOptions, tflite.BuiltinOptions2)
    tables = {name for union in unions for name in vars(union) if name.endswith("Options")}
    assert {writer.options_table(kind) for kind in KINDS} - {None} == tables


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "PLACEHOLDER_FOR_GREATER_OP_CODES"])
def test_every_operator_can_be_written(kind: str) -> None:
    assert read(plain(kind, {})).OperatorCodes(0).BuiltinCode() == getattr(tflite.BuiltinOperator, kind)


@pytest.mark.parametrize(
    ("kind", "options", "error", "message"),
    [
        ("CONV_2D", {"strides": 2}, KeyError, "stride_w"),
        ("RELU", {"alpha": 2.0}, KeyError, "takes no options"),
        ("CONV_2D", {"padding": "FULL"}, ValueError, "VALID"),
        ("CONV_2D", {"stride_w": "two"}, ValueError, "not a number"),
        ("CONV2D", {}, ValueError, "BuiltinOperator"),
    ],
)
def test_wrong_names_are_refused(kind: str, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        plain(kind, options)


@pytest.mark.parametrize("data", [np.zeros(3, np.int8), np.zeros(2, np.int16)])
def test_data_that_does_not_fit_the_tensor_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="but the tensor is"):
        TensorSpec((2,), "int8", data=data)


# --- what the models compute ----------------------------------------------------------------------


@pytest.fixture(params=[("tflite_micro", run_tflm), ("ai_edge_litert", run_litert_ref)], ids=["tflm", "litert"])
def run(request: pytest.FixtureRequest) -> Any:
    library, runner = request.param
    pytest.importorskip(library)
    return runner


def test_convolution_by_hand(run: Any) -> None:
    image = int8(1, 2, 3, 4, shape=(1, 2, 2, 1))
    kernel = TensorSpec((1, 2, 2, 1), "int8", 0.5, data=int8(1, 10, 20, 30, shape=(1, 2, 2, 1)))
    bias = TensorSpec((1,), "int32", 0.5, data=np.array([-2], np.int32))
    x, y = TensorSpec((1, 2, 2, 1), "int8", 1.0, 1), TensorSpec((1, 2, 2, 1), "int8", 1.0, 5)
    options: dict[str, Any] = {"stride_w": 1, "stride_h": 1, "padding": "SAME"}
    # Less the zero point the image is 0 1 / 2 3, and a row and a column of padding count as 0.
    sums = [0 * 1 + 1 * 10 + 2 * 20 + 3 * 30, 1 * 1 + 3 * 20, 2 * 1 + 3 * 10, 3 * 1]
    expected = [(s - 2) / 2 + 5 for s in sums]
    (output,) = run(single_op("CONV_2D", [x, kernel, bias], [y], options), [image])
    assert expected == [74, 34.5, 20, 5.5]
    assert output.ravel().tolist() == [74, 35, 20, 6]


def test_fully_connected_by_hand(run: Any) -> None:
    x, y = TensorSpec((1, 2), "int8", 0.5), TensorSpec((1, 2), "int8", 1.0, -1)
    weights = TensorSpec((2, 2), "int8", 1.0, data=int8(1, 2, 3, -1, shape=(2, 2)))
    bias = TensorSpec((2,), "int32", 0.5, data=np.array([0, -4], np.int32))
    (output,) = run(single_op("FULLY_CONNECTED", [x, weights, bias], [y]), [int8(20, -3, shape=(1, 2))])
    assert output.tolist() == [[(20 - 6) // 2 - 1, (60 + 3 - 4 + 1) // 2 - 1]]


def test_addition_by_hand(run: Any) -> None:
    x, y = TensorSpec((1, 3), "int8", 0.5, 1), TensorSpec((1, 3), "int8", 0.5, -2)
    constant = TensorSpec((1,), "int8", 0.25, data=int8(8, shape=(1,)))
    options = {"fused_activation_function": "RELU"}
    (output,) = run(single_op("ADD", [x, constant], [y], options), [int8(1, 20, -30, shape=(1, 3))])
    assert output.tolist() == [[0 + 4 - 2, 19 + 4 - 2, -2]]


def accumulator() -> bytes:
    """Write a model that adds up what it is fed, in a variable that another subgraph clears."""
    handle, value = TensorSpec((1,), "resource"), TensorSpec((2,), "int8", 1.0)
    zero = TensorSpec((2,), "int8", 1.0, data=np.zeros(2, np.int8))
    variable = OpSpec("VAR_HANDLE", (), (0,), {"shared_name": "sum"})
    clear = SubgraphSpec((handle, zero), (variable, OpSpec("ASSIGN_VARIABLE", (0, 1), ())), (), (), "clear")
    steps = (
        OpSpec("CALL_ONCE", (), (), {"init_subgraph_index": 1}),
        variable,
        OpSpec("READ_VARIABLE", (0,), (1,)),
        OpSpec("ADD", (1, 2), (3,)),
        OpSpec("ASSIGN_VARIABLE", (0, 3), ()),
    )
    return write_model(ModelSpec((handle, value, value, value), steps, (2,), (3,), others=(clear,)))


def test_variables_last_from_frame_to_frame() -> None:
    pytest.importorskip("tflite_micro")
    frames = [[int8(1, -2, shape=(2,))]] * 3
    outputs = run_tflm_frames(accumulator(), frames)
    assert [frame[0].tolist() for frame in outputs] == [[1, -2], [2, -4], [3, -6]]
