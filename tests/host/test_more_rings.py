"""Kernels with several inputs, and those that leave out or repeat rows, from rings to rings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.native import NativeTarget
from tecompile.graph import DType, Graph, Op, Quant, Region, Rounding, Span, Tensor
from tecompile.interpret import run
from tecompile.ops.add import Add
from tecompile.ops.concatenation import Concatenation
from tecompile.ops.logistic import Logistic
from tecompile.ops.mul import Mul
from tecompile.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tecompile.ops.strided_slice import StridedSlice
from tecompile.planner.check import verify_plan
from tecompile.planner.plan import Full

from .build import build_models, random_inputs
from .chains import FULL, QUANT, Layer, chain, conv, copy, dw, output, pad
from .plans import plain_plan, strip_candidate
from .test_rings import ring_plans, shared

CHANNELS = ((0, 0), (0, 0), (0, 0), (1, 4))
ALL_SIDES = ((0, 0), (1, 2), (2, 1), (5, 0))


def resize(rows: int, columns: int, half: bool = False) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        table = Tensor(f"s{index}", (2,), DType.INT32, None, np.array((rows, columns), np.int32))
        return ResizeNearestNeighbor(index, (x, table), (output(index, rows, columns, x.image.channels),), False, half)

    return make


def logistic(index: int, x: Tensor) -> Op:
    return Logistic(index, (x,), (output(index, *x.image, quant=Quant((1 / 256,), (-128,))),))


def cut(index: int, x: Tensor) -> Op:
    """All but the first row, every second column, one channel."""
    bounds = ((0, 1, 0, 0), (1, x.shape[1], x.shape[2], 1), (1, 1, 2, 1))
    tables = [Tensor(f"b{index}{i}", (4,), DType.INT32, None, np.array(b, np.int32)) for i, b in enumerate(bounds)]
    y = output(index, x.shape[1] - 1, -(-x.shape[2] // 2), 1)
    return StridedSlice(index, (x, *tables), (y,), 0, 0, 0, 0, 0)


def mul(index: int, a: Tensor, b: Tensor) -> Op:
    shape = np.broadcast_shapes(a.shape, b.shape)
    return Mul(index, (a, b), (output(index, *shape[1:]),), FULL, Rounding.DOUBLE)


def add(index: int, a: Tensor, b: Tensor) -> Op:
    shape = np.broadcast_shapes(a.shape, b.shape)
    return Add(index, (a, b), (output(index, *shape[1:]),), FULL, Rounding.DOUBLE)


def square(index: int, x: Tensor) -> Op:
    return mul(index, x, x)


def times(*shape: int) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        values = np.random.default_rng(index).integers(-128, 128, shape, dtype=np.int8)
        return mul(index, Tensor(f"k{index}", shape, DType.INT8, Quant((0.02,), (9,)), values), x)

    return make


def joined(index: int, parts: list[Tensor], axis: int) -> Op:
    shape = list(parts[0].shape)
    shape[axis] = sum(t.shape[axis] for t in parts)
    return Concatenation(index, tuple(parts), (output(index, *shape[1:]),), axis, "NONE")


def branches(axis: int) -> Graph:
    """Two layers' outputs, a constant and one of them again, put together."""
    x = Tensor("t0", (1, 4, 3, 2), DType.INT8, QUANT)
    a, b = conv(3, 1, 2)(0, x), conv(1, 1, 2)(1, x)
    fixed = np.arange(24, dtype=np.int8).reshape(1, 4, 3, 2)
    c = joined(2, [a.y, Tensor("k", fixed.shape, DType.INT8, QUANT, fixed), b.y, a.y], axis)
    d = dw(3, 1)(3, c.y)
    return Graph("branches", (a, b, c, d), (x,), (d.y,))


def outer() -> Graph:
    """A column of pixels and a row of them, of which a table of sums is made; both operands repeat."""
    x, z = Tensor("t0", (1, 4, 1, 3), DType.INT8, QUANT), Tensor("z", (1, 1, 5, 3), DType.INT8, QUANT)
    a, b = copy(0, x), copy(1, z)
    c = add(2, a.y, b.y)
    d = dw(3, 1)(3, c.y)
    return Graph("outer", (a, b, c, d), (x, z), (d.y,))


def skip() -> Graph:
    """Down, up again, and beside what was before: half of a U-Net."""
    x = Tensor("t0", (1, 5, 4, 2), DType.INT8, QUANT)
    a = conv(3, 1, 2)(0, x)
    b = dw(3, 2)(1, a.y)
    c = resize(5, 4)(2, b.y)
    d = joined(3, [c.y, a.y], 3)
    e = conv(3, 1, 3)(4, d.y)
    return Graph("skip", (a, b, c, d, e), (x,), (e.y,))


def gate(*shape: int, combine: Callable[[int, Tensor, Tensor], Op] = mul) -> Graph:
    """An image times a factor for each channel, pixel, row..., or a sum of the two."""
    x, s = Tensor("t0", (1, 4, 3, 2), DType.INT8, QUANT), Tensor("s", shape, DType.INT8, QUANT)
    a = conv(3, 1, 2)(0, x)
    b = Logistic(1, (s,), (Tensor("t2", shape, DType.INT8, Quant((1 / 256,), (-128,))),))
    c = combine(2, a.y, b.y)
    d = dw(3, 1)(3, c.y)
    return Graph("gate", (a, b, c, d), (x, s), (d.y,))


GRAPHS = {
    "channels": branches(3),
    "columns": branches(2),
    "rows": branches(1),
    "skip": skip(),
    "gate of channels": gate(1, 1, 1, 2),
    "gate of pixels": gate(1, 4, 3, 1),
    "gate of rows": gate(1, 4, 1, 1),
    "gate of columns": gate(1, 1, 3, 2),
    "attention": gate(1, 4, 3, 2),
    "bias of channels": gate(1, 1, 1, 2, combine=add),
    "bias of pixels": gate(1, 4, 3, 1, combine=add),
    "bias of rows": gate(1, 4, 1, 2, combine=add),
    "bias of columns": gate(1, 1, 3, 1, combine=add),
    "one bias": gate(1, 1, 1, 1, combine=add),
    "outer sum": outer(),
    "pad channels": chain([conv(3, 1, 3), pad(CHANNELS), dw(3, 1), pad(ALL_SIDES), conv(3, 2), copy], 5, 4, 2),
    "resize": chain([conv(3, 1, 2), resize(8, 6), dw(3, 1), resize(3, 7, half=True), copy], 4, 3, 2),
    "slice": chain([conv(3, 1, 3), cut, dw(3, 1), copy], 5, 4, 2),
    "products": chain([copy, square, logistic, times(2), times(1, 4, 3, 1), times(1, 1, 1, 1), copy], 4, 3, 2),
}


def test_these_kernels_are_of_strips() -> None:
    """Or the test below would not see them."""
    kernels = {NativeTarget().candidates(op)[0].kernel for graph in GRAPHS.values() for op in graph.ops}
    assert {"te_pair_image", "te_pair_constant", "te_pad", "te_concatenation", "te_slice"} <= kernels


@shared
@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, some: slice, tmp_path: Path) -> None:
    graph, rng = GRAPHS[name], np.random.default_rng(1)
    for model in build_models(tmp_path, list(ring_plans(graph, rng, some=some))):
        for _ in range(3):
            inputs = random_inputs(graph, rng)
            np.testing.assert_array_equal(model.run(inputs)[0], run(graph, inputs)[0])


def pairs_of_columns(tensor: Tensor) -> Sequence[Region]:
    rows, columns = range(tensor.image.rows), range(0, tensor.image.columns, 2)
    return [Region(Span(row, row + 1), Span(column, column + 2)) for row in rows for column in columns]


def test_a_part_that_lies_where_its_output_will_be_is_copied_all_the_same(tmp_path: Path) -> None:
    """From the last columns on, the output overwrites what has been read of the second part; rows 0 coincide."""
    a, b = (Tensor(name, (1, 2, 3, 1), DType.INT8, QUANT) for name in "ab")
    op = joined(0, [a, b], 2)
    graph = Graph("beside", (op,), (a, b), (op.y,))
    plan = plain_plan(graph, strip_candidate(NativeTarget()), cut=pairs_of_columns, upwards=True)
    place = plan.buffers[op.y]
    assert isinstance(place, Full)
    plan = replace(plan, buffers={**plan.buffers, b: replace(place, tensor=b)})
    verify_plan(plan)
    inputs = random_inputs(graph, np.random.default_rng(1))
    np.testing.assert_array_equal(build_models(tmp_path, [plan])[0].run(inputs)[0], run(graph, inputs)[0])
