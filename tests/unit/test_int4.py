"""Weights of four bits: unpacked when read, where TFLM or LiteRT take them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from tecompile.errors import InvalidInput
from tecompile.frontend import inspect_blockers, parse
from tecompile.graph import DType
from tecompile.interpret import run
from tests.tools.golden import run_tflm
from tests.tools.tflite_writer import OptionValue, TensorSpec, single_op

STEPS: Mapping[str, OptionValue] = {"stride_h": 1, "stride_w": 1, "padding": "SAME"}
DEPTHWISE: Mapping[str, OptionValue] = {**STEPS, "depth_multiplier": 1}
LAYERS = [
    pytest.param("CONV_2D", (3, 1, 1, 5), (1, 3, 3, 5), (1, 3, 3, 3), 0, STEPS, id="conv"),
    pytest.param("DEPTHWISE_CONV_2D", (1, 3, 1, 5), (1, 3, 3, 5), (1, 3, 3, 5), 3, DEPTHWISE, id="depthwise"),
    pytest.param("FULLY_CONNECTED", (3, 5), (2, 5), (2, 3), 0, {}, id="fully connected"),
]
Shape = tuple[int, ...]


def layer(
    kind: str, dtype: str, shapes: tuple[Shape, Shape, Shape], axis: int, options: Mapping[str, OptionValue]
) -> bytes:
    rng, (w, x, y) = np.random.default_rng(3), shapes
    scales = tuple(rng.uniform(0.01, 0.02, w[axis]))
    data = rng.integers(-8, 8, w, dtype=np.int8)
    weights = TensorSpec(w, dtype, scales, axis=axis, data=data, name="w")
    bias = TensorSpec((w[axis],), "int32", tuple(0.1 * s for s in scales), data=np.arange(w[axis], dtype=np.int32))
    return single_op(kind, [TensorSpec(x, "int8", 0.1, 3), weights, bias], [TensorSpec(y, "int8", 0.05, -4)], options)


@pytest.mark.parametrize(("kind", "w", "x", "y", "axis", "options"), LAYERS)
def test_packed_weights_are_unpacked(
    kind: str, w: Shape, x: Shape, y: Shape, axis: int, options: Mapping[str, OptionValue]
) -> None:
    packed, plain = (parse(layer(kind, dtype, (w, x, y), axis, options), "net") for dtype in ("int4", "int8"))
    ours, theirs = packed.ops[0].inputs[1], plain.ops[0].inputs[1]
    assert ours is not None
    assert theirs is not None
    assert (ours.dtype, ours.quant) == (DType.INT8, theirs.quant)
    np.testing.assert_array_equal(ours.data, theirs.data)


@pytest.mark.parametrize(("kind", "w", "x", "y", "axis", "options"), LAYERS[:2])
def test_tflm_reads_them_alike(
    kind: str, w: Shape, x: Shape, y: Shape, axis: int, options: Mapping[str, OptionValue]
) -> None:
    model = layer(kind, "int4", (w, x, y), axis, options)
    values = [np.random.default_rng(1).integers(-128, 128, x, dtype=np.int8)]
    np.testing.assert_array_equal(run(parse(model, "net"), values)[0], run_tflm(model, values)[0])


def test_others_do_not_take_them() -> None:
    packed = TensorSpec((5,), "int4", 0.1, data=np.ones(5, np.int8), name="c")
    model = single_op("ADD", [TensorSpec((5,), "int8", 0.1), packed], [TensorSpec((5,), "int8", 0.1)], {})
    assert [b.reason for b in inspect_blockers(model)] == ["c has type int4"]


def test_a_wrong_size_is_damage() -> None:
    whole = layer("FULLY_CONNECTED", "int4", ((3, 5), (2, 5), (2, 3)), 0, {})
    shape = np.array([3, 5], "<i4").tobytes()
    with pytest.raises(InvalidInput, match="holds 8 bytes where its shape and type need 9"):
        parse(whole.replace(shape, np.array([3, 6], "<i4").tobytes()), "net")
