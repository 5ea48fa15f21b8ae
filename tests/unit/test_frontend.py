"""What the frontend makes of honest files."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tecompile.errors import InvalidInput
from tecompile.frontend import (
    Blocker,
    UnsupportedModel,
    check_supported,
    inspect_blockers,
    outline,
    parse,
    read_model,
    with_rounding,
)
from tecompile.frontend.flatbuffer import Table
from tecompile.frontend.schema import option_table, read_options
from tecompile.graph import Clamp, Graph, Padding, Rounding
from tecompile.interpret import run
from tecompile.ops.conv2d import Conv2D
from tecompile.ops.fully_connected import FullyConnected
from tecompile.ops.pad import Pad
from tecompile.ops.softmax import Softmax
from tecompile.passes import simplify
from tecompile.passes.fold_constants import fold_constants
from tecompile.rewriting import validate
from tests.tools.tflite_writer import ModelSpec, OpSpec, SubgraphSpec, TensorSpec, single_op, write_model

RNG = np.random.default_rng(0)
WEIGHTS = TensorSpec(
    (2, 3, 3, 1), "int8", (0.5, 0.25), data=RNG.integers(-128, 128, (2, 3, 3, 1), dtype=np.int8), name="w"
)
BIAS = TensorSpec((2,), "int32", (0.25, 0.125), data=np.array([7, -7], np.int32), name="b")
CONV_OPTIONS = {
    "stride_h": 2,
    "stride_w": 1,
    "dilation_h_factor": 1,
    "padding": "SAME",
    "fused_activation_function": "RELU6",
}


def int8(shape: tuple[int, ...], name: str = "", scale: float = 0.5, zero_point: int = 3) -> TensorSpec:
    return TensorSpec(shape, "int8", scale, zero_point, name=name)


def table(*values: int, name: str = "") -> TensorSpec:
    return TensorSpec((len(values),), "int32", data=np.array(values, np.int32), name=name)


def conv_model(x: TensorSpec | None = None) -> bytes:
    x = x or int8((1, 6, 5, 1), "image")
    return single_op("CONV_2D", [x, WEIGHTS, BIAS], [int8((1, 3, 5, 2), "out")], CONV_OPTIONS)


def relu_chain(kinds: list[str]) -> bytes:
    """A chain of operators without options on one shape."""
    tensors = tuple(int8((1, 4), f"a{i}") for i in range(len(kinds) + 1))
    ops = tuple(OpSpec(kind, (i,), (i + 1,)) for i, kind in enumerate(kinds))
    return write_model(ModelSpec(tensors, ops, (0,), (len(kinds),)))


def test_a_convolution_as_the_file_states_it() -> None:
    graph = parse(conv_model(), "net")
    (op,) = graph.ops
    assert isinstance(op, Conv2D)
    assert (graph.name, graph.inputs, graph.outputs) == ("net", (op.x,), (op.y,))
    assert (op.x.name, op.x.shape, op.x.scale, op.x.zero_point) == ("image", (1, 6, 5, 1), 0.5, 3)
    assert (op.kernel, op.stride, op.dilation, op.padding) == ((3, 3), (2, 1), (1, 1), Padding(0, 1, 1, 1))
    assert op.clamp == Clamp(3, 15)
    assert op.weights.quant is not None
    assert (op.weights.quant.scales, op.weights.quant.axis) == ((0.5, 0.25), 0)
    np.testing.assert_array_equal(op.weight_values(), WEIGHTS.data)
    assert op.bias_values().tolist() == [7, -7]
    check_supported(graph)


def test_constants_can_not_be_written_to() -> None:
    op = parse(conv_model(), "net").ops[0]
    assert op.constants[0].data is not None
    assert not op.constants[0].data.flags.writeable


def test_an_absent_bias_may_be_minus_one_or_missing() -> None:
    for inputs in ([int8((1, 6, 5, 1)), WEIGHTS, None], [int8((1, 6, 5, 1)), WEIGHTS]):
        graph = parse(single_op("CONV_2D", inputs, [int8((1, 3, 5, 2))], CONV_OPTIONS), "net")
        assert isinstance(graph.ops[0], Conv2D)
        assert graph.ops[0].bias_values().tolist() == [0, 0]


def test_the_shape_counts_and_not_its_signature() -> None:
    x = TensorSpec((1, 6, 5, 1), "int8", 0.5, 3, shape_signature=(-1, 6, 5, 1))
    assert parse(conv_model(x), "net").inputs[0].shape == (1, 6, 5, 1)


def test_names_are_unique_printable_and_never_empty() -> None:
    names = ["same", "same", "", "two words\n\x1b[31m", "t2", "x" * 500]
    tensors = tuple(int8((1, 4), name) for name in names)
    ops = tuple(OpSpec("RELU", (i,), (i + 1,)) for i in range(5))
    found = [t.name for t in parse(write_model(ModelSpec(tensors, ops, (0,), (5,))), "net").tensors]
    assert found == ["same", "same_t1", "t2", "two_words__[31m", "t2_t4", "x" * 96]


def test_options_are_read_by_introspection() -> None:
    assert read_options("CONV_2D", 0, None, "")["dilation_w_factor"] == 1
    assert read_options("SOFTMAX", 0, None, "") == {"beta": 0.0}
    assert read_options("RESHAPE", 0, None, "") == {"new_shape": ()}
    assert read_options("VAR_HANDLE", 0, None, "") == {"container": None, "shared_name": None}
    assert read_options("RELU", 0, None, "") == {}
    assert (option_table("MAX_POOL_2D"), option_table("MEAN")) == ("Pool2DOptions", "ReducerOptions")


def test_options_of_every_kind_arrive() -> None:
    shape = single_op("RESHAPE", [int8((1, 4))], [int8((2, 2))], {"new_shape": (2, -1)})
    root = Table.root(shape, "model")
    operator = root.children(2).at(0, "subgraph").children(3).at(0, "op")
    code = operator.integer(3, "<B")
    assert read_options("RESHAPE", code, operator.child(4, "options"), "")["new_shape"] == (2, -1)
    y = TensorSpec((1, 4), "int8", 1 / 256, -128)
    softmax = parse(single_op("SOFTMAX", [int8((1, 4))], [y], {"beta": 0.75}), "net").ops[0]
    assert isinstance(softmax, Softmax)
    assert softmax.beta == 0.75


def test_either_field_may_hold_the_operator_code() -> None:
    """Files from before 2020 have no second field; codes from 127 on don't fit the first."""
    for slot, layout in ((0, "<b"), (3, "<i")):
        data = bytearray(conv_model())
        code = Table.root(bytes(data), "model").children(1).at(0, "code")
        assert code.integer(slot, layout) == 3
        struct.pack_into(layout, data, code.find(slot), 0)
        assert parse(bytes(data), "net").ops[0].kind == "CONV_2D"


def test_reshape_to_a_scalar_has_a_list_of_no_numbers() -> None:
    graph = parse(single_op("RESHAPE", [int8((1, 1)), table()], [int8(())]), "net")
    assert run(graph, [np.array([[5]], np.int8)])[0].tolist() == 5


def test_negative_weight_scales_occur_in_real_files() -> None:
    weights = TensorSpec((1, 2), "int8", -0.5, data=np.array([[1, 2]], np.int8))
    graph = parse(single_op("FULLY_CONNECTED", [int8((1, 2), zero_point=0), weights], [int8((1, 1))]), "net")
    check_supported(graph)
    assert run(graph, [np.array([[10, 10]], np.int8)])[0].tolist() == [[3 - 15]]


# --- what can't be compiled -----------------------------------------------------------------------


def refusal(data: bytes) -> UnsupportedModel:
    with pytest.raises(UnsupportedModel) as caught:
        parse(data, "net")
    assert caught.value.exit_code == 1
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_unknown_operators_are_named_all_at_once() -> None:
    data = relu_chain(["ATAN2", "RELU", "MULTINOMIAL", "ATAN2"])
    error = refusal(data)
    assert error.message == "net: 3 operators can't be compiled: ATAN2 (ops 0, 3), MULTINOMIAL (op 2): not implemented"
    assert error.blockers == (
        Blocker("op 0 ATAN2", "not implemented"),
        Blocker("op 2 MULTINOMIAL", "not implemented"),
        Blocker("op 3 ATAN2", "not implemented"),
    )
    assert inspect_blockers(data) == error.blockers
    assert [line.kind for line in outline(data)] == ["ATAN2", "RELU", "MULTINOMIAL", "ATAN2"]
    assert outline(data)[1].inputs == ("a1 int8[1,4]",)


def test_limits_of_known_operators_are_listed_with_the_unknown() -> None:
    tensors = (int8((1, 4)), int8((1, 4)), int8((1, 4)))
    ops = (OpSpec("ATAN2", (0,), (1,)), OpSpec("SOFTMAX", (1,), (2,), {"beta": 1.0}))
    error = refusal(write_model(ModelSpec(tensors, ops, (0,), (2,))))
    assert [b.op for b in error.blockers] == ["op 0 ATAN2", "op 1 SOFTMAX"]
    assert error.message.startswith("net: 2 operators")


def test_many_operators_of_a_kind_are_counted() -> None:
    assert "ATAN2 (ops 0, 1, 2, 3, 4, 5 and 3 more): not implemented" in refusal(relu_chain(["ATAN2"] * 9)).message


def test_custom_operators_are_named() -> None:
    tensors = (int8((1, 4)), int8((1, 4)))
    model = ModelSpec(tensors, (OpSpec("CUSTOM", (0,), (1,), custom_code="MyOp"),), (0,), (1,))
    assert refusal(write_model(model)).blockers == (Blocker("op 0 MyOp", "custom operator"),)


@pytest.mark.parametrize("dtype", ["float16", "int4", "float64", "string"])
def test_unknown_types_are_named(dtype: str) -> None:
    data = bytearray(relu_chain(["RELU"]))
    types = {"float16": 1, "int4": 17, "float64": 10, "string": 5}
    tensor = Table.root(bytes(data), "model").children(2).at(0, "s").children(0).at(0, "t")
    struct.pack_into("<b", data, tensor.find(1), types[dtype])
    error = refusal(bytes(data))
    assert Blocker("op 0 RELU", f"a0 has type {dtype}") in error.blockers


def test_variables_of_others_and_control_flow_are_refused() -> None:
    state = TensorSpec((1, 4), "int8", 0.5, 0, name="state", is_variable=True)
    add = OpSpec("ADD", (0, 1), (2,))
    spec = ModelSpec((int8((1, 4)), state, int8((1, 4))), (add,), (0,), (2,))
    reason = "state is a variable that keeps its value between inferences"
    assert refusal(write_model(spec)).blockers == (Blocker("op 0 ADD", reason),)
    relu = (OpSpec("RELU", (0,), (1,)),)
    pair = (int8((1, 4)), int8((1, 4)))
    spec = ModelSpec(pair, relu, (0,), (1,), others=(SubgraphSpec(pair, relu, (0,), (1,)),))
    assert refusal(write_model(spec)).blockers[0].reason == "has 2 subgraphs (control flow)"


def test_a_fused_activation_that_is_no_clamp() -> None:
    data = single_op("ADD", [int8((4,)), int8((4,))], [int8((4,))], {"fused_activation_function": "TANH"})
    assert refusal(data).blockers == (Blocker("op 0 ADD", "fused activation TANH"),)


def layer(x: str, weights: str) -> bytes:
    scales = {"int8": 0.5, "uint8": 0.5, "int16": 0.5}
    w = TensorSpec((3, 4), weights, scales.get(weights), data=np.zeros((3, 4), weights))
    ends = [TensorSpec(shape, x, scales.get(x)) for shape in ((1, 4), (1, 3))]
    return single_op("FULLY_CONNECTED", [ends[0], w], [ends[1]])


@pytest.mark.parametrize(
    ("data", "what", "hint"),
    [
        (layer("float32", "float32"), "is a float32 model", "representative_dataset"),
        (layer("float32", "int8"), "is a hybrid model", "representative_dataset"),
        (relu_chain(["CUSTOM"]), "custom operator", "tecompile ops"),
    ],
)
def test_schemes_are_refused_in_a_sentence_of_their_own(data: bytes, what: str, hint: str) -> None:
    error = refusal(data)
    assert what in error.message
    assert hint in error.hint
    assert error.blockers
    assert inspect_blockers(data) == error.blockers


@pytest.mark.parametrize(("code", "who"), [("edgetpu-custom-op", "Edge TPU"), ("ethos-u", "Ethos-U")])
def test_models_compiled_for_an_accelerator(code: str, who: str) -> None:
    scratch = TensorSpec((0,), "uint8", name="scratch")  # Vela hands over memory nobody has written
    tensors = (int8((1, 4)), scratch, int8((1, 4)))
    model = ModelSpec(tensors, (OpSpec("CUSTOM", (0, 1), (2,), custom_code=code),), (0,), (2,))
    error = refusal(write_model(model))
    assert who in error.message
    assert "give the int8 model" in error.hint


def float_island() -> bytes:
    """Real numbers in the middle of an int8 network."""
    tensors = (int8((1, 4)), TensorSpec((1, 4), "float32", name="real"), int8((1, 4)))
    ops = (OpSpec("DEQUANTIZE", (0,), (1,)), OpSpec("QUANTIZE", (1,), (2,)))
    return write_model(ModelSpec(tensors, ops, (0,), (2,)))


def test_real_numbers_may_only_cross_the_border() -> None:
    with pytest.raises(UnsupportedModel) as caught:
        check_supported(parse(float_island(), "net"))
    assert {b.reason for b in caught.value.blockers} == {"real is float32 inside the network"}
    tensors = (TensorSpec((1, 4), "float32"), int8((1, 4)), TensorSpec((1, 4), "float32"))
    ops = (OpSpec("QUANTIZE", (0,), (1,)), OpSpec("DEQUANTIZE", (1,), (2,)))
    check_supported(simplify(parse(write_model(ModelSpec(tensors, ops, (0,), (2,))), "net")))


# --- shape arithmetic -----------------------------------------------------------------------------


def flatten_by_shape() -> bytes:
    """x -> RESHAPE to (SHAPE(x)[0], -1), as Keras' Flatten becomes."""
    tensors = (
        int8((1, 2, 3), "x"), TensorSpec((3,), "int32", name="shape"), table(0, name="begin"), table(1, name="end"),
        table(1, name="step"), TensorSpec((), "int32", name="batch"),
        TensorSpec((), "int32", data=np.array(-1, np.int32), name="rest"), TensorSpec((2,), "int32", name="wanted"),
        int8((1, 6), "y"),
    )  # fmt: skip
    ops = (
        OpSpec("SHAPE", (0,), (1,)),
        OpSpec("STRIDED_SLICE", (1, 2, 3, 4), (5,), {"shrink_axis_mask": 1}),
        OpSpec("PACK", (5, 6), (7,), {"values_count": 2}),
        OpSpec("RESHAPE", (0, 7), (8,)),
    )
    return write_model(ModelSpec(tensors, ops, (0,), (8,)))


def test_shape_arithmetic_is_not_refused_before_it_is_folded() -> None:
    graph = parse(flatten_by_shape(), "net")
    assert inspect_blockers(flatten_by_shape()) == ()
    folded = fold_constants(graph)
    check_supported(folded)
    assert [op.kind for op in folded.ops] == ["RESHAPE"]
    assert run(graph, [np.arange(6, dtype=np.int8).reshape(1, 2, 3)])[0].shape == (1, 6)


def padded_by_arithmetic() -> Graph:
    """PAD, whose table is packed at run time from SHAPE's output and constants."""
    tensors = (
        int8((1, 1), "x"), TensorSpec((2,), "int32", name="shape"), table(2, 0, name="more"),
        TensorSpec((2, 2), "int32", name="table"), int8((4, 2), "y"),
    )  # fmt: skip
    ops = (
        OpSpec("SHAPE", (0,), (1,)),
        OpSpec("PACK", (1, 2), (3,), {"values_count": 2, "axis": 1}),
        OpSpec("PAD", (0, 3), (4,)),
    )
    return parse(write_model(ModelSpec(tensors, ops, (0,), (4,))), "net")


def test_a_table_that_becomes_known_by_folding_is_used() -> None:
    graph = padded_by_arithmetic()
    assert list(graph.ops[2].unsupported()) == ["padding table table is computed at run time"]
    folded = fold_constants(graph)
    validate(folded)
    check_supported(folded)
    (pad,) = folded.ops
    assert isinstance(pad, Pad)
    assert pad.amounts == ((1, 2), (1, 0))


# --- the rest -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "conv", "fc"),
    [
        ("tflm", Rounding.DOUBLE, Rounding.DOUBLE),
        ("litert", Rounding.DOUBLE, Rounding.AWAY),
        ("single", Rounding.SINGLE, Rounding.SINGLE),
    ],
)
def test_rounding_policies(policy: str, conv: Rounding, fc: Rounding) -> None:
    both = (parse(conv_model(), "net"), parse(layer("int8", "int8"), "net"))
    found = [with_rounding(with_rounding(graph, "single"), policy).ops[0] for graph in both]
    assert isinstance(found[0], Conv2D)
    assert isinstance(found[1], FullyConnected)
    assert (found[0].rounding, found[1].rounding) == (conv, fc)


def test_operators_that_do_not_round_stay_as_they_are() -> None:
    graph = parse(flatten_by_shape(), "net")
    assert with_rounding(graph, "single").ops == graph.ops


def test_an_unknown_rounding_names_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        with_rounding(parse(conv_model(), "net"), "tfml")
    assert "tflm, litert, single" in caught.value.hint


def test_read_model_takes_its_name_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "my net.v2.tflite"
    path.write_bytes(conv_model())
    data, graph = read_model(path)
    assert (data, graph.name) == (conv_model(), "my net.v2")


@pytest.mark.parametrize("make", [lambda p: p / "missing.tflite", lambda p: p])
def test_unreadable_files(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with pytest.raises(InvalidInput, match="can't read") as caught:
        read_model(make(tmp_path))
    assert str(make(tmp_path)) in caught.value.message
