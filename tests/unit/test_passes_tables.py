"""Functions of one byte become tables, and integers are carried where the file carries real numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.frontend import check_supported, parse
from tecompile.graph import Graph
from tecompile.interpret import run
from tecompile.ops.add import Add
from tecompile.ops.table import Table
from tecompile.passes import simplify
from tecompile.passes.compose_tables import compose_tables
from tecompile.passes.remove_dead import remove_dead
from tests.tools.golden import run_tflm
from tests.tools.graphs import Builder
from tests.tools.tflite_writer import ModelSpec, OpSpec, OptionValue, TensorSpec, write_model

from .test_passes import same_values

EVERY_BYTE = np.arange(-128, 128, dtype=np.int8).reshape(1, 256)


def kinds(graph: Graph) -> list[str]:
    return [op.kind for op in graph.ops]


def composed(graph: Graph) -> Graph:
    after = remove_dead(compose_tables(graph))
    assert same_values(graph, after)
    return after


def test_a_value_times_its_logistic_is_one_table() -> None:
    b = Builder()
    x = b.input(1, 5, 5, 3)
    after = composed(b.graph(b.mul(x, b.logistic(x))))
    (table,) = after.ops
    assert isinstance(table, Table)
    assert table.stands_for == ("LOGISTIC", "MUL")


def test_what_others_need_stays_and_functions_of_it_begin_there() -> None:
    b = Builder()
    x = b.input(1, 5, 5, 3)
    gate = b.logistic(x)
    after = composed(b.graph(b.mul(x, gate), b.conv(gate, 2)))
    assert kinds(after) == ["LOGISTIC", "MUL", "CONV_2D"]
    tail = b.mul(gate, b.relu(gate))
    after = composed(b.graph(tail, b.conv(gate, 2)))
    assert kinds(after) == ["LOGISTIC", "CONV_2D", "TABLE"] or kinds(after) == ["LOGISTIC", "TABLE", "CONV_2D"]
    assert next(op for op in after.ops if isinstance(op, Table)).x is gate


def test_functions_of_two_tensors_and_other_repetitions_are_left_alone() -> None:
    b = Builder()
    x, other = b.input(1, 5, 5, 3), b.input(1, 5, 5, 3)
    graph = b.graph(b.mul(b.logistic(x), b.relu(other)))
    assert compose_tables(graph) is graph
    b = Builder()
    x = b.input(1, 5, 5, 3)
    graph = b.graph(b.mul(x, b.logistic(b.global_mean(x))))
    assert kinds(composed(graph)) == ["MEAN", "LOGISTIC", "MUL"]


@pytest.mark.parametrize(("shape", "merges"), [((), True), ((1, 1), True), ((3,), False)])
def test_only_one_constant_for_all_values_makes_a_table(shape: tuple[int, ...], merges: bool) -> None:
    b = Builder()
    x = b.input(1, 5, 5, 3)
    constant = TensorSpec(shape, "int8", 0.5, 3, data=np.full(shape, 7, np.int8))
    spec = TensorSpec(x.shape, "int8", 0.05, 3)
    data = model([spec, constant, TensorSpec(x.shape, "int8", 0.1, -4)], [OpSpec("ADD", (0, 1), (2,))])
    graph = parse(data, "net")
    assert isinstance(graph.ops[0], Add)
    assert isinstance(composed(graph).ops[0], Table) == merges


# --- real numbers between integers ----------------------------------------------------------------


def model(tensors: list[TensorSpec], ops: list[OpSpec], inputs: tuple[int, ...] = (0,)) -> bytes:
    read = {i for op in ops for i in op.inputs}
    outputs = tuple(i for op in ops for i in op.outputs if i not in read)
    return write_model(ModelSpec(tuple(tensors), tuple(ops), inputs, outputs))


def int8(shape: tuple[int, ...], scale: float, zero: int = 0) -> TensorSpec:
    return TensorSpec(shape, "int8", scale, zero)


def in_real(kind: str, options: dict[str, OptionValue] | None = None, scale: float = 0.031, zero: int = 5) -> bytes:
    """DEQUANTIZE, an operator in float32, QUANTIZE."""
    shape, real = (1, 256), TensorSpec((1, 256), "float32")
    ops = [OpSpec("DEQUANTIZE", (0,), (1,)), OpSpec(kind, (1,), (2,), options or {}), OpSpec("QUANTIZE", (2,), (3,))]
    return model([int8(shape, scale, zero), real, real, int8(shape, 0.043, -11)], ops)


REAL = [
    *("ABS", "CEIL", "COS", "ELU", "EXP", "FLOOR", "HARD_SWISH", "LEAKY_RELU", "LOG", "LOGISTIC", "NEG", "RELU"),
    *("RELU6", "ROUND", "RSQRT", "SIN", "SQRT", "SQUARE", "TANH"),
]


@pytest.mark.parametrize("kind", REAL)
@pytest.mark.parametrize(("scale", "zero"), [(0.031, 5), (1.7, -128), (0.0004, 127), (0.5, 0)])
def test_an_operator_in_float32_is_a_table(kind: str, scale: float, zero: int) -> None:
    data = in_real(kind, {"alpha": 0.3} if kind == "LEAKY_RELU" else None, scale, zero)
    graph = parse(data, "net")
    simple = simplify(graph)
    no_number = kind in ("LOG", "RSQRT") or (kind == "SQRT" and zero > -128)
    if no_number or (kind == "EXP" and scale > 1):  # the latter is infinite
        assert kinds(simple) == ["DEQUANTIZE", kind, "QUANTIZE"]
        return
    check_supported(simple)
    assert kinds(simple) == ["TABLE"]
    (golden,) = run_tflm(data, [EVERY_BYTE])
    np.testing.assert_array_equal(run(graph, [EVERY_BYTE])[0], golden)
    np.testing.assert_array_equal(run(simple, [EVERY_BYTE])[0], golden)


def test_parts_taken_in_float32_are_taken_of_integers() -> None:
    """As in a GRU that TensorFlow unrolled."""
    axis = TensorSpec((), "int32", data=np.array(-1, np.int32))
    halves = [TensorSpec((1, 4), "float32") for _ in range(2)]
    results = [int8((1, 4), 0.05, 3), int8((1, 4), 0.07, -2)]
    tensors = [int8((1, 8), 0.05, 3), TensorSpec((1, 8), "float32"), axis, *halves, *results]
    ops = [
        OpSpec("DEQUANTIZE", (0,), (1,)),
        OpSpec("SPLIT", (2, 1), (3, 4), {"num_splits": 2}),
        OpSpec("QUANTIZE", (3,), (5,)),
        OpSpec("QUANTIZE", (4,), (6,)),
    ]
    data = model(tensors, ops)
    simple = simplify(parse(data, "net"))
    check_supported(simple)
    assert kinds(simple) == ["STRIDED_SLICE", "STRIDED_SLICE", "TABLE"]  # the first keeps its scale
    x = np.array([[-128, -3, 0, 127, 5, 6, -7, 100]], np.int8)
    for ours, golden in zip(run(simple, [x]), run_tflm(data, [x]), strict=True):
        np.testing.assert_array_equal(ours, golden)


def test_a_shape_changed_before_quantize_is_changed_behind_it() -> None:
    real = [TensorSpec(shape, "float32") for shape in ((1, 2, 3), (1, 6))]
    ops = [
        OpSpec("RESHAPE", (0,), (1,), {"new_shape": (1, 6)}),
        OpSpec("QUANTIZE", (1,), (2,)),
        OpSpec("RELU", (2,), (3,)),
    ]
    simple = simplify(parse(model([*real, int8((1, 6), 0.1), int8((1, 6), 0.1)], ops), "net"))
    check_supported(simple)
    assert kinds(simple) == ["RESHAPE", "RELU"]
    assert simple.borders[0].outer.shape == (1, 2, 3)


@pytest.mark.parametrize("kind", ["LOG_SOFTMAX", "SOFTMAX", "LOGISTIC"])
def test_what_follows_the_last_dequantize_is_left_to_the_caller(kind: str) -> None:
    real = TensorSpec((1, 256), "float32")
    tensors = [int8((1, 256), 0.1, 3), int8((1, 256), 0.1, 3), real, real]
    options: dict[str, OptionValue] = {"beta": 1.0} if kind == "SOFTMAX" else {}
    ops = [OpSpec("RELU", (0,), (1,)), OpSpec("DEQUANTIZE", (1,), (2,)), OpSpec(kind, (2,), (3,), options)]
    data = model(tensors, ops)
    graph = parse(data, "net")
    simple = simplify(graph)
    check_supported(simple)
    assert kinds(simple) == ["RELU"]
    np.testing.assert_array_equal(run(graph, [EVERY_BYTE])[0], run_tflm(data, [EVERY_BYTE])[0])
    (border,) = simple.borders
    np.testing.assert_array_equal(border.convert(run(simple, [EVERY_BYTE])[0]), run(graph, [EVERY_BYTE])[0])
