"""What several passes have to mind: values that are outputs as well, operators nobody needs, names that are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tecompile.backends.native import NativeTarget
from tecompile.frontend import UnsupportedModel, check_supported, inspect_blockers, parse
from tecompile.graph import DType, Graph
from tecompile.interpret import random_inputs, run
from tecompile.passes import simplify
from tecompile.pipeline import load_graph
from tecompile.planner.planner import Optimize, Place, make_plan
from tests.models.test_networks import run_simplified
from tests.tools.golden import run_litert_ref
from tests.tools.more_graphs import FullBuilder
from tests.tools.tflite_writer import ModelSpec, OpSpec, TensorSpec, single_op, write_model

from .test_passes_tables import kinds, model
from .test_settle import dilated, table, unknown_batch


def swish() -> Graph:
    b = FullBuilder()
    x = b.conv(b.input(1, 6, 6, 3), 4)
    return b.graph(b.relu(b.mul(x, b.logistic(x))))


def moves() -> Graph:
    b = FullBuilder()
    x = b.input(1, 4, 6, 8)
    y = b.reshape(b.relu(b.reshape(x, 1, 4, 6, 2, 4)), 1, 24, 8)
    return b.graph(b.relu(b.reshape(y, 1, 4, 6, 8)))


def padded() -> Graph:
    b = FullBuilder()
    x = b.pad(b.input(1, 6, 6, 3), 1, 1, 1, 1)
    return b.graph(b.conv(b.relu(x), 4, 3, same=False))


def behind_a_batch() -> Graph:
    return parse(dilated(0), "net")


@pytest.mark.parametrize("build", [swish, moves, padded, behind_a_batch])
def test_every_value_may_be_an_output_as_well(build: Callable[[], Graph]) -> None:
    graph = build()
    inputs = random_inputs(graph, 3)
    for tensor in (op.y for op in graph.ops if op.y not in graph.outputs):
        before = replace(graph, outputs=(*graph.outputs, tensor))
        after = simplify(before)
        for mine, original in zip(run_simplified(after, inputs), run(before, inputs), strict=True):
            np.testing.assert_array_equal(mine, original, tensor.name)


def uint8(*shape: int) -> TensorSpec:
    return TensorSpec(shape, "uint8", 0.02, 105)


def test_an_operator_nobody_reads_does_not_keep_the_others_from_int8() -> None:
    """There is no ABS of uint8."""
    tensors = tuple(uint8(1, 4) for _ in range(4))
    ops = (OpSpec("MAXIMUM", (0, 1), (2,)), OpSpec("ABS", (0,), (3,)))
    data = write_model(ModelSpec(tensors, ops, (0, 1), (2,)))
    simple = simplify(load_graph(data, "net"))
    check_supported(simple)
    assert kinds(simple) == ["MAXIMUM"]
    assert {t.dtype for t in simple.tensors} == {DType.INT8}


def test_uint8_that_no_pass_could_turn_into_int8_is_refused() -> None:
    data = model([uint8(1, 4), uint8(1, 4), uint8(1, 4)], [OpSpec("MAXIMUM", (0, 1), (2,))], (0, 1))
    with pytest.raises(UnsupportedModel, match="could not be turned into int8"):
        check_supported(parse(data, "net"))


def test_a_real_function_of_uint8_is_a_table() -> None:
    real = TensorSpec((1, 256), "float32")
    ops = [OpSpec("DEQUANTIZE", (0,), (1,)), OpSpec("NEG", (1,), (2,)), OpSpec("QUANTIZE", (2,), (3,))]
    data = model([uint8(1, 256), real, replace(real), TensorSpec((1, 256), "uint8", 0.03, 90)], ops)
    simple = simplify(parse(data, "net"))
    check_supported(simple)
    assert kinds(simple) == ["TABLE"]
    every_byte = np.arange(256, dtype=np.uint8).reshape(1, 256)
    np.testing.assert_array_equal(run(simple, [every_byte])[0], run_litert_ref(data, [every_byte])[0])


def test_real_numbers_that_two_operators_move() -> None:
    """Both want the same integers of them."""
    real = TensorSpec((1, 6), "float32")
    shapes = (1, 2, 3), (1, 3, 2)
    moved = [TensorSpec(shape, "float32") for shape in shapes]
    done = [TensorSpec(shape, "int8", 0.1, 3) for shape in shapes]
    ops = [OpSpec("RESHAPE", (0,), (1 + i,), {"new_shape": shape}) for i, shape in enumerate(shapes)]
    ops += [OpSpec("QUANTIZE", (1 + i,), (3 + i,)) for i in range(2)]
    simple = simplify(parse(model([real, *moved, *done], ops), "net"))
    check_supported(simple)
    assert kinds(simple) == ["RESHAPE", "RESHAPE"]
    (border,) = simple.borders
    assert border.outer.shape == (1, 6)


def test_many_outputs_of_another_batch() -> None:
    """More than one repair for each operator."""
    tensors = (
        unknown_batch(1, 4, 12, 2),
        table(-1, 12, 2),
        unknown_batch(1, 12, 2),
        *(unknown_batch(1, 2) for _ in range(12)),
    )
    ops = (OpSpec("RESHAPE", (0, 1), (2,)), OpSpec("UNPACK", (2,), tuple(range(3, 15)), {"num": 12, "axis": 1}))
    graph = parse(write_model(ModelSpec(tensors, ops, (0,), tuple(range(3, 15)))), "net")
    assert {t.shape for t in graph.outputs} == {(4, 2)}


def test_a_wide_zero_point_is_refused() -> None:
    y = TensorSpec((1, 4), "int32", 1e-4, 5, name="y")
    (blocker,) = inspect_blockers(single_op("QUANTIZE", [TensorSpec((1, 4), "int8", 0.1, 0)], [y], {}))
    assert "y is int32 with zero point 5, not 0" in blocker.reason


@pytest.mark.parametrize("optimize", list(Optimize))
@pytest.mark.parametrize("shape", [(1, 4, 3), (1, 5, 4, 3)])
def test_a_tensor_and_a_view_of_it_as_operands(shape: tuple[int, ...], optimize: Optimize) -> None:
    """The result must not take the place of a value that the other operand still shows."""
    b = FullBuilder()
    x = b.relu(b.input(*shape))
    graph = b.graph(b.mul(x, b.reshape(x, *shape[1:])), b.add(b.reshape(x, *shape[1:]), x))
    assert make_plan(graph, NativeTarget(), Place("RAM"), optimize).arena_bytes > 0  # which checks itself
