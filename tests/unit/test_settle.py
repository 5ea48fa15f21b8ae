"""Files whose shapes only hold for another batch: what LiteRT, which resizes tensors, computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tflite

from tecompile.errors import InvalidInput
from tecompile.frontend import check_supported, parse
from tecompile.interpret import random_inputs, run
from tecompile.passes import simplify
from tests.tools.golden import run_litert_ref
from tests.tools.tflite_writer import ModelSpec, OpSpec, TensorSpec, write_model


def unknown_batch(*shape: int, zero: int = 3) -> TensorSpec:
    """As converters write it: 1 where nothing is known."""
    return TensorSpec(shape, "int8", 0.05, zero, shape_signature=(-1, *shape[1:]))


def table(*values: object) -> TensorSpec:
    data = np.array(values, np.int32)
    return TensorSpec(data.shape, "int32", data=data)


def weights(*shape: int) -> TensorSpec:
    data = np.random.default_rng(1).integers(-9, 10, shape).astype(np.int8)
    return TensorSpec(shape, "int8", 0.02, 0, data=data)


def dilated(zero: int) -> bytes:
    """A convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: four images of half the size, said to be one."""
    bias = TensorSpec((2,), "int32", 0.001, data=np.array([5, -7], np.int32))
    tensors = (
        unknown_batch(1, 6, 8, 3, zero=zero),
        *(table(2, 2), table([2, 2], [2, 2])),
        unknown_batch(1, 5, 6, 3, zero=zero),
        *(weights(2, 3, 3, 3), bias),
        unknown_batch(1, 3, 4, 2),
        *(table(2, 2), table([0, 0], [0, 0])),
        unknown_batch(1, 6, 8, 2),
    )
    ops = (
        OpSpec("SPACE_TO_BATCH_ND", (0, 1, 2), (3,)),
        OpSpec("CONV_2D", (3, 4, 5), (6,), {"stride_h": 1, "stride_w": 1, "padding": "VALID"}),
        OpSpec("BATCH_TO_SPACE_ND", (6, 7, 8), (9,)),
    )
    return write_model(ModelSpec(tensors, ops, (0,), (9,)))


@pytest.mark.parametrize("zero", [0, 3, -128])
def test_rows_that_become_a_batch(zero: int) -> None:
    data = dilated(zero)
    graph = parse(data, "net")
    assert [op.y.shape for op in graph.ops] == [(4, 5, 6, 3), (4, 3, 4, 2), (1, 6, 8, 2)]
    simple = simplify(graph)
    check_supported(simple)
    assert [op.kind for op in simple.ops] == ["CONV_2D"]  # with a dilation
    inputs = random_inputs(graph, 1)
    golden = run_litert_ref(data, inputs)[0]
    np.testing.assert_array_equal(run(graph, inputs)[0], golden)
    np.testing.assert_array_equal(run(simple, inputs)[0], golden)


def test_a_shape_that_is_computed() -> None:
    """RESHAPE to the first axes in one, which SHAPE, STRIDED_SLICE and PACK work out."""
    x = unknown_batch(1, 4, 5)
    wrong = replace(unknown_batch(1, 5), shape_signature=(-1, -1))
    numbers = TensorSpec((3,), "int32"), TensorSpec((1,), "int32"), TensorSpec((2,), "int32")
    tensors = (x, numbers[0], table(1), table(2), table(1), numbers[1], table(5), numbers[2], wrong, wrong)
    ops = (
        OpSpec("SHAPE", (0,), (1,), {"out_type": tflite.TensorType.INT32}),
        OpSpec("STRIDED_SLICE", (1, 2, 3, 4), (5,)),
        OpSpec("CONCATENATION", (5, 6), (7,), {"axis": 0}),
        OpSpec("RESHAPE", (0, 7), (8,)),
        OpSpec("RELU", (8,), (9,)),
    )
    data = write_model(ModelSpec(tensors, ops, (0,), (9,)))
    graph = parse(data, "net")
    assert graph.outputs[0].shape == (4, 5)
    inputs = random_inputs(graph, 1)
    np.testing.assert_array_equal(run(graph, inputs)[0], run_litert_ref(data, inputs)[0])


def test_shapes_that_are_stated_for_certain_are_not_changed() -> None:
    tensors = (TensorSpec((1, 6, 4), "int8", 0.05), table(2), table([0, 0]), TensorSpec((1, 3, 4), "int8", 0.05))
    data = write_model(ModelSpec(tensors, (OpSpec("SPACE_TO_BATCH_ND", (0, 1, 2), (3,)),), (0,), (3,)))
    with pytest.raises(InvalidInput, match=r"is \[1,3,4\] but its inputs give \[2,3,4\]"):
        parse(data, "net")
