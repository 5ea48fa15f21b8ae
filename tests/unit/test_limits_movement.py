"""What operators that move values refuse, and that they do so in words whatever a file holds."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.errors import InvalidInput
from tecompile.frontend import inspect_blockers, parse
from tecompile.graph import DType, Node, Op, OptionValue, Quant, Tensor
from tecompile.ops import OPERATORS
from tests.tools import tflite_writer
from tests.tools.tflite_writer import TensorSpec, single_op

KINDS = (
    "BATCH_TO_SPACE_ND", "BROADCAST_TO", "CONCATENATION", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "MIRROR_PAD",
    "PACK", "PAD", "PADV2", "RESHAPE", "REVERSE_V2", "SLICE", "SPACE_TO_BATCH_ND", "SPACE_TO_DEPTH", "SPLIT",
    "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK",
)  # fmt: skip


def int8(*shape: int, scale: float | None = 0.5, name: str = "x", dtype: str = "int8") -> TensorSpec:
    return TensorSpec(shape, dtype, scale, 0, name=name)


def table(*values: int, dtype: str = "int32") -> TensorSpec:
    return TensorSpec((len(values),), dtype, data=np.array(values, dtype), name="table")


def fed(*shape: int) -> TensorSpec:
    return TensorSpec(shape, "int32", name="places")


Options = dict[str, tflite_writer.OptionValue]


def model(kind: str, inputs: list[TensorSpec], y: TensorSpec, options: Options | None = None) -> bytes:
    return single_op(kind, inputs, [y], options or {})


def sliced(
    begin: tuple[int, ...], end: tuple[int, ...], stride: tuple[int, ...], y: TensorSpec, **options: int
) -> bytes:
    return model("STRIDED_SLICE", [int8(4, 3), table(*begin), table(*end), table(*stride)], y, dict(options))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            model("GATHER", [int8(4, 3), TensorSpec((2,), "int64", name="places")], int8(2, 3), {"axis": 0}),
            "places is int64; GATHER takes int32 here",
        ),
        (
            model("GATHER", [int8(1, 1, 70000), table(5, 9, 2)], int8(1, 1, 3), {"axis": 2}),
            "more than 65536 places to choose from",
        ),
        (model("TRANSPOSE", [int8(4, 3), fed(2)], int8(3, 4)), "order of axes places is computed at run time"),
        (
            model("TRANSPOSE", [int8(4, 3, dtype="float32", scale=None), table(1, 0)], int8(3, 4, dtype="float32")),
            "float",
        ),
        (model("REVERSE_V2", [int8(4, 3, 2), table(0, 2)], int8(4, 3, 2)), "are not neighbours"),
        (model("TILE", [int8(4), fed(1)], int8(8)), "table of counts places is computed at run time"),
        (
            model("TRANSPOSE", [int8(*[2] * 8), table(*range(7, -1, -1))], int8(*[2] * 8)),
            "more than 6 axes",
        ),
        (model("BROADCAST_TO", [int8(1), table(1, 1, 1, 1, 2, 3)], int8(1, 1, 1, 1, 2, 3)), "more than 5 dimensions"),
        (model("PADV2", [int8(2), table(0, 1), int8(1, name="value")], int8(3)), "value value is computed at run time"),
        (
            model(
                "PADV2",
                [int8(2), table(0, 1), TensorSpec((1,), "int8", 0.25, 0, data=np.ones(1, np.int8), name="value")],
                int8(3),
            ),
            "have different scales",
        ),
        (model("PACK", [int8(2), int8(2, scale=0.25)], int8(2, 2), {"values_count": 2}), "does not rescale"),
        (sliced((0, 1), (1, 2), (-1, 1), int8(2 - 1), shrink_axis_mask=1), "walked backwards"),
        (sliced((0, 0, 0), (4, 1, 3), (1, 1, 1), int8(4, 3), ellipsis_mask=2), "an ellipsis in the place of no axis"),
        (sliced((-2, 0), (1, 3), (1, 1), int8(1, 3), offset=1), "ends relative to the begin"),
        (model("SPLIT", [fed(1), int8(2)], int8(2), {"num_splits": 1}), "axis places is computed at run time"),
        (
            model(
                "CONCATENATION", [int8(2, dtype="uint8"), int8(2, scale=0.25, dtype="uint8")], int8(4, dtype="uint8")
            ),
            "does not rescale",
        ),
    ],
)
def test_limits_are_stated(data: bytes, reason: str) -> None:
    assert any(reason in blocker.reason for blocker in inspect_blockers(data)), inspect_blockers(data)


@pytest.mark.parametrize(
    "data",
    [
        model("GATHER", [int8(4, 3), table(4)], int8(1, 3), {"axis": 0}),
        model("TRANSPOSE", [int8(4, 3), table(1, 1)], int8(3, 3)),
        model("SPLIT_V", [int8(2, 3), table(1, 2), TensorSpec((), "int32", data=np.array(1, np.int32))], int8(2)),
        model("MIRROR_PAD", [int8(2), table(2, 0)], int8(4), {"mode": 0}),
        model("DEPTH_TO_SPACE", [int8(1, 2, 2, 3)], int8(1, 4, 4, 1), {"block_size": 2}),
        model("SPACE_TO_BATCH_ND", [int8(1, 3, 1), table(2), table(0, 0)], int8(2, 1, 1)),
        model("SLICE", [int8(4), table(-1), table(1)], int8(1)),
        model("SQUEEZE", [int8(1, 2)], int8(2, 1, 1, 2)),
    ],
)
def test_what_contradicts_itself_is_damaged(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="contradicts itself"):
        parse(data, "net")


# --- anything at all ------------------------------------------------------------------------------


@st.composite
def tensors(draw: DrawFn, name: str) -> Tensor:
    """Of any rank and type, with any quantisation, constant or not."""
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=draw(st.sampled_from([2, 4, 8])))))
    dtype = draw(st.sampled_from(list(DType)))
    scales = (0.5,) * draw(st.sampled_from([1, 1, shape[0] if shape else 1]))
    quant = draw(st.sampled_from([None, Quant(scales, (0,) * len(scales))]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    data = rng.integers(draw(st.sampled_from([-3, 0])), 4, shape).astype(dtype.numpy)
    return Tensor(name, shape, dtype, quant, np.asarray(data) if draw(st.booleans()) else None)


@st.composite
def nodes(draw: DrawFn, kind: str) -> Node:
    cls = OPERATORS[kind]
    count = draw(st.integers(cls.arity[0], min(cls.arity[1], cls.arity[0] + 2)))
    results = draw(st.integers(cls.results[0], min(cls.results[1], 3)))
    names = ("axis", "block_size", "batch_dims", "mode", *(f"{n}_mask" for n in ("begin", "ellipsis", "new_axis")))
    options: dict[str, OptionValue] = {
        name: draw(st.integers(-3, 9)) for name in (*names, "shrink_axis_mask", "offset")
    }
    inputs = tuple(draw(tensors(f"x{i}")) for i in range(count))
    return Node(0, kind, inputs, tuple(draw(tensors(f"y{i}")) for i in range(results)), options)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_nothing_raises(kind: str, data: st.DataObject) -> None:
    """Operators of valid files are also decomposed and computed."""
    op = OPERATORS[kind].from_options(data.draw(nodes(kind)))
    invalid = list(op.invalid())
    if not invalid and not list(op.unsupported()):
        assert all(not list(part.invalid()) for part in op.simpler())
        assert isinstance(op.streams, bool)
        compute(op)


def compute(op: Op) -> None:
    values: list[Any] = [
        None if t is None else np.zeros(t.shape, t.dtype.numpy) if t.data is None else t.data for t in op.inputs
    ]
    for y, value in zip(op.outputs, op.reference(values), strict=True):
        assert value.shape == y.shape
    assert fields(op)
