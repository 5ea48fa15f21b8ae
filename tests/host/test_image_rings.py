"""Kernels that resize or reduce, and those of int16, from rings to rings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.native import NativeTarget
from tecompile.graph import Clamp, DType, Graph, Op, Padding, Quant, Rounding, Tensor
from tecompile.interpret import run
from tecompile.ops.arg_extreme import ArgMax
from tecompile.ops.geometry import Pair
from tecompile.ops.mean import Mean, Sum
from tecompile.ops.pool2d import AveragePool2D, MaxPool2D, Pool2D
from tecompile.ops.reduce_extreme import ReduceMax, ReduceMin
from tecompile.ops.reduction import Reduction, ScaledSum
from tecompile.ops.resize_bilinear import ResizeBilinear
from tecompile.ops.softmax import Softmax

from .build import build_models, random_inputs
from .chains import Layer, chain, conv, copy, dw
from .test_rings import ring_plans, shared

QUANT_16 = Quant((0.001,), (0,))
PROBABILITY_16 = Quant((2.0**-15,), (0,))


def bilinear(rows: int, columns: int, half: bool = False) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        table = Tensor(f"s{index}", (2,), DType.INT32, None, np.array((rows, columns), np.int32))
        y = Tensor(f"t{index + 1}", (1, rows, columns, x.image.channels), x.dtype, x.quant)
        return ResizeBilinear(index, (x, table), (y,), False, half)

    return make


def reduction(cls: type[Reduction], axes: tuple[int, ...], keep: bool) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        table = Tensor(f"a{index}", (len(axes),), DType.INT32, None, np.array(axes, np.int32))
        shape = np.empty(x.shape).sum(axis=axes, keepdims=keep).shape
        y = Tensor(f"t{index + 1}", shape, x.dtype, x.quant)
        if issubclass(cls, ScaledSum):
            return cls(index, (x, table), (y,), axes, keep, Rounding.DOUBLE)
        return cls(index, (x, table), (y,), axes, keep)

    return make


def argmax(index: int, x: Tensor) -> Op:
    table = Tensor(f"a{index}", (1,), DType.INT32, None, np.array((3,), np.int32))
    return ArgMax(index, (x, table), (Tensor(f"t{index + 1}", x.shape[:3], DType.INT32),), (3,), False)


def pool_16(cls: type[Pool2D], size: int, stride: int) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        rows, columns = ((n - 1) // stride + 1 for n in x.shape[1:3])
        y = Tensor(f"t{index + 1}", (1, rows, columns, x.shape[3]), DType.INT16, x.quant)
        before, after = (size - 1) // 2, size // 2
        pairs = (Pair(size, size), Pair(stride, stride), Pair(1, 1))
        return cls(index, (x,), (y,), *pairs, Padding(before, after, before, after), Clamp(-32768, 32767))

    return make


def softmax_16(index: int, x: Tensor) -> Op:
    return Softmax(index, (x,), (Tensor(f"t{index + 1}", x.shape, DType.INT16, PROBABILITY_16),), 1.0)


def softmax_to_16(index: int, x: Tensor) -> Op:
    quant = Quant((2.0**-16,), (-32768,))
    return Softmax(index, (x,), (Tensor(f"t{index + 1}", x.shape, DType.INT16, quant),), 1.0)


def chain_16(layers: list[Layer], *shape: int) -> Graph:
    x = Tensor("t0", (1, *shape), DType.INT16, QUANT_16)
    ops: list[Op] = []
    for index, layer in enumerate(layers):
        ops.append(layer(index, ops[-1].y if ops else x))
    return Graph("chain", tuple(ops), (x,), (ops[-1].y,))


AVERAGE, MAX = pool_16(AveragePool2D, 3, 1), pool_16(MaxPool2D, 2, 2)
GRAPHS = {
    "bilinear": chain([conv(3, 1, 2), bilinear(8, 6), dw(3, 1), bilinear(3, 7, half=True), copy], 4, 3, 2),
    "bilinear at the border": chain([copy, bilinear(1, 1), bilinear(4, 5), copy, bilinear(9, 2)], 6, 5, 3),
    "of pixels": chain([conv(3, 1, 4), reduction(ReduceMax, (3,), True), copy], 5, 4, 2),
    "of columns": chain([conv(3, 1, 4), reduction(Mean, (2,), True), copy], 5, 4, 2),
    "of columns, dropped": chain([conv(3, 1, 4), reduction(Sum, (2,), False)], 5, 4, 2),
    "of channels, dropped": chain([conv(3, 1, 4), reduction(ReduceMin, (3,), False)], 5, 4, 2),
    "of rows' values": chain([conv(3, 1, 4), reduction(Mean, (2, 3), True), copy], 5, 4, 2),
    "places": chain([conv(3, 1, 4), copy, argmax], 5, 4, 2),
    "of images": chain([conv(3, 1, 4), reduction(ReduceMax, (1, 2), False)], 5, 4, 2),
    "sums of images": chain([conv(3, 1, 7), reduction(Sum, (1, 2), True)], 5, 4, 2),
    "softmax to int16": chain([conv(3, 1, 6), softmax_to_16], 5, 4, 2),
    "int16": chain_16([MAX, AVERAGE, bilinear(7, 5), softmax_16, AVERAGE], 11, 9, 3),
    "means of int16": chain_16([AVERAGE, reduction(Mean, (1, 2), False)], 6, 5, 5),
    "extremes of int16": chain_16([AVERAGE, reduction(ReduceMin, (3,), True), MAX], 6, 5, 5),
}


def test_these_kernels_are_of_strips() -> None:
    """Or the test below would not see them."""
    kernels = {NativeTarget().candidates(op)[0].kernel for graph in GRAPHS.values() for op in graph.ops}
    wanted = {"te_resize_bilinear", "te_resize_bilinear_16", "te_reduce_pixels", "te_reduce_rows", "te_arg_rows"}
    assert wanted | {"te_global_extreme", "te_global_mean", "te_softmax_16"} <= kernels


@shared
@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, some: slice, tmp_path: Path) -> None:
    graph, rng = GRAPHS[name], np.random.default_rng(1)
    for model in build_models(tmp_path, list(ring_plans(graph, rng, some=some))):
        for _ in range(3):
            inputs = random_inputs(graph, rng)
            np.testing.assert_array_equal(model.run(inputs)[0], run(graph, inputs)[0])
