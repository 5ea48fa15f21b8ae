"""BATCH_MATMUL, and layers whose weights are computed at run time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.graph import DType, Op, Rounding, Tensor
from tecompile.graph import Quant as TensorQuant
from tecompile.ops.batch_matmul import BatchMatMul
from tests.host.ops import Draw, fully_connected
from tests.tools.cases import Case, Quant, Shape, Source, _case
from tests.tools.random_ops import powers, sources, zero_points
from tests.tools.tflite_writer import TensorSpec

from .row import Row

_UNIT = Quant(1.0)


@dataclass(frozen=True)
class Sides:
    """Shapes as they are multiplied: [..., rows, depth] and [..., depth, columns]; `constant` is one of 0, 1, None."""

    a: Shape
    b: Shape
    swapped: tuple[bool, bool] = (False, False)
    constant: int | None = None


def batch_matmul(dtype: str, sides: Sides, quants: tuple[Quant, Quant, Quant], source: Source) -> Case:
    shapes = [_stored(shape, swap) for shape, swap in zip((sides.a, sides.b), sides.swapped, strict=True)]
    data = [source.integers(s, dtype, salt=7 + i) if i == sides.constant else None for i, s in enumerate(shapes)]
    inputs = [
        TensorSpec(s, dtype, q.scale, q.zero_point, data=d) for s, q, d in zip(shapes, quants[:2], data, strict=True)
    ]
    y = TensorSpec(_product_shape(sides), dtype, quants[2].scale, quants[2].zero_point)
    return _case("BATCH_MATMUL", inputs, y, {"adj_x": sides.swapped[0], "adj_y": sides.swapped[1]}, source)


def _stored(shape: Shape, swap: bool) -> Shape:
    return (*shape[:-2], shape[-1], shape[-2]) if swap else shape


def _product_shape(sides: Sides) -> Shape:
    return (*np.broadcast_shapes(sides.a[:-2], sides.b[:-2]), sides.a[-2], sides.b[-1])


_SIDES = (
    Sides((1, 1), (1, 1)),
    Sides((2, 3), (3, 9)),
    Sides((2, 5, 3), (3, 4)),
    Sides((2, 3), (2, 3, 4)),
    Sides((2, 1, 5, 3), (1, 3, 3, 6)),
    Sides((2, 1, 4, 2, 3), (2, 3, 1, 3, 4)),
)


def _edges(dtype: str) -> list[Case]:
    zeros = (0, 0, 0) if dtype == "int16" else (-128, 127, 3)
    factor = 0.25 if dtype == "int8" else 2.0**-13
    quants = (Quant(1.0, zeros[0]), Quant(0.5, zeros[1]), Quant(0.5 / factor, zeros[2]))
    ways = product(_SIDES, product((False, True), repeat=2), (None, 0, 1))
    return [
        batch_matmul(dtype, replace(sides, swapped=swapped, constant=constant), quants, Source(i))
        for i, (sides, swapped, constant) in enumerate(ways)
    ]


@st.composite
def drawn_batch_matmul(draw: DrawFn, dtype: str) -> Case:
    """Draw a BATCH_MATMUL whose batches may repeat on either side."""
    batches = draw(st.lists(st.integers(1, 4), max_size=3).map(tuple))
    rows, depth, columns = (draw(st.integers(1, 9)) for _ in range(3))
    first, second = (tuple(draw(st.sampled_from([n, n, 1])) for n in batches) for _ in range(2))
    a, b = (*first[draw(st.integers(0, len(first))) :], rows, depth), (*second, depth, columns)
    swapped = draw(st.booleans()), draw(st.booleans())
    zeros = st.just(0) if dtype == "int16" else zero_points()
    spread = (-9.0, -5.0) if dtype == "int8" else (-18.0, -13.0)
    low, high = draw(st.sampled_from([spread, spread, (-30.0, 0.0)]))
    scales = [draw(powers(-8, 0)) for _ in range(2)]
    scales.append(scales[0] * scales[1] / draw(powers(low, high)))
    quants = (
        Quant(scales[0], draw(zeros)),
        Quant(scales[1], draw(zeros)),
        Quant(scales[2], draw(zeros)),
    )
    return batch_matmul(dtype, Sides(a, b, swapped, draw(st.sampled_from([None, 0, 1]))), quants, draw(sources()))


def draw_op(draw: Draw) -> Op:
    batches = tuple(draw.number(1, 3) for _ in range(draw.number(0, 3)))
    rows, depth, columns = draw.number(1, 7), draw.number(1, 9), draw.number(1, 9)
    first, second = (tuple(draw.pick(n, n, 1) for n in batches) for _ in range(2))
    swapped = draw.pick(False, True), draw.pick(False, True)
    sides = Sides((*first[draw.number(0, len(first)) :], rows, depth), (*second, depth, columns))
    a, b = (_stored(shape, swap) for shape, swap in zip((sides.a, sides.b), swapped, strict=True))
    y = draw.quant(-9, 1)
    factor = draw.power(*draw.pick((-9, -5), (-9, -5), (-30, 3)))
    quant = draw.quant(-4, 1)
    other = TensorQuant((float(np.float32(factor * y.scale / quant.scale)),), (draw.number(-128, 127),))
    tensors = [draw.tensor("a", a, quant), draw.tensor("b", b, other)]
    constant = draw.pick(None, 0, 1)
    if constant is not None:
        t = tensors[constant]
        tensors[constant] = draw.constant(t.name, t.shape, t.quant or y)
    return BatchMatMul(0, tuple(tensors), (draw.tensor("y", _product_shape(sides), y),), *swapped, draw.rounding())


def draw_op_16(draw: Draw) -> Op:
    op = draw_op(draw)
    change: dict[str, Any] = {
        "inputs": tuple(_wide(t) for t in op.inputs if t is not None),
        "outputs": (_wide(op.y),),
        "rounding": Rounding.DOUBLE,
    }
    return replace(op, **change)


def _wide(tensor: Tensor) -> Tensor:
    data = None if tensor.data is None else tensor.data.astype(np.int16) * 250
    scale = tensor.scale / (256 if tensor.name != "y" else 1)
    return replace(tensor, dtype=DType.INT16, quant=TensorQuant((scale,), (0,)), data=data)


# --- FULLY_CONNECTED ------------------------------------------------------------------------------


@st.composite
def run_time_weights(draw: DrawFn) -> Case:
    """Draw a FULLY_CONNECTED of two inputs."""
    rows, depth, channels = draw(st.integers(1, 5)), draw(st.integers(1, 40)), draw(st.integers(1, 9))
    x, w = (Quant(draw(powers(-8, 0)), draw(zero_points())) for _ in range(2))
    y = Quant(x.scale * w.scale / draw(powers(-11, -5)), draw(zero_points()))
    source = draw(sources())
    inputs = [
        TensorSpec((rows, depth), "int8", x.scale, x.zero_point),
        TensorSpec((channels, depth), "int8", w.scale, w.zero_point),
    ]
    if draw(st.booleans()):
        values = np.random.default_rng(source.seed).integers(-9999, 9999, channels).astype(np.int32)
        inputs.append(TensorSpec((channels,), "int32", x.scale * w.scale, data=values))
    output = TensorSpec((rows, channels), "int8", y.scale, y.zero_point)
    return _case("FULLY_CONNECTED", inputs, output, {}, source)


def draw_run_time_weights(draw: Draw) -> Op:
    op = fully_connected(draw)
    weights = op.inputs[1]
    assert weights is not None
    assert weights.quant is not None
    quant = TensorQuant(weights.quant.scales[:1], weights.quant.zero_points[:1])
    change: dict[str, Any] = {"inputs": (op.x, replace(weights, quant=quant, data=None), *op.inputs[2:])}
    return replace(op, **change)


ROWS: Mapping[str, Row] = {
    "BATCH_MATMUL": Row(lambda: _edges("int8"), drawn_batch_matmul("int8"), draw_op, streams=False),
    "BATCH_MATMUL int16": Row(lambda: _edges("int16"), drawn_batch_matmul("int16"), draw_op_16, streams=False),
    "FULLY_CONNECTED weights": Row(list, run_time_weights(), draw_run_time_weights, streams=False),
}
