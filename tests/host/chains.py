"""Short chains of layers whose values spread over the range, for tests of plans and rings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from tecompile.graph import Clamp, DType, Graph, Op, Padding, Quant, Rounding, Tensor
from tecompile.ops.add import Add
from tecompile.ops.conv2d import Conv2D
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.geometry import Pair
from tecompile.ops.mean import Mean
from tecompile.ops.pad import Pad
from tecompile.ops.pool2d import AveragePool2D, MaxPool2D, Pool2D
from tecompile.ops.quantize import Quantize
from tecompile.ops.relu import Relu
from tecompile.ops.softmax import Softmax

RNG = np.random.default_rng(5)
FULL = Clamp(-128, 127)
QUANT = Quant((0.05,), (-7,))

Layer: TypeAlias = Callable[[int, Tensor], Op]


def output(index: int, rows: int, columns: int, channels: int, quant: Quant = QUANT) -> Tensor:
    return Tensor(f"t{index + 1}", (1, rows, columns, channels), DType.INT8, quant)


def _slide(x: Tensor, kernel: int, stride: int) -> tuple[Padding, Pair]:
    before, after = (kernel - 1) // 2, kernel // 2
    image = x.image
    sizes = [(n + before + after - kernel) // stride + 1 for n in (image.rows, image.columns)]
    return Padding(before, after, before, after), Pair(*sizes)


def _weights(shape: tuple[int, ...], channels: int, depth: int, axis: int) -> tuple[Tensor, Tensor]:
    scale = 0.5 / np.sqrt(depth) / 74
    values = RNG.integers(-127, 128, shape, dtype=np.int8)
    bias = RNG.integers(-500, 500, channels).astype(np.int32)
    quant = Quant(tuple(float(np.float32(scale)) for _ in range(channels)), (0,) * channels, axis)
    return Tensor(f"w{RNG.integers(1 << 60)}", shape, DType.INT8, quant, values), Tensor(
        f"b{RNG.integers(1 << 60)}", (channels,), DType.INT32, None, bias
    )


def conv(kernel: int, stride: int, channels: int = 5) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        padding, out = _slide(x, kernel, stride)
        shape = (channels, kernel, kernel, x.image.channels)
        constants = _weights(shape, channels, kernel * kernel * x.image.channels, 0)
        y = output(index, *out, channels)
        pairs = (Pair(kernel, kernel), Pair(stride, stride), Pair(1, 1))
        return Conv2D(index, (x, *constants), (y,), FULL, Rounding.DOUBLE, *pairs, padding)

    return make


def dw(kernel: int, stride: int, multiplier: int = 1) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        padding, out = _slide(x, kernel, stride)
        channels = x.image.channels * multiplier
        constants = _weights((1, kernel, kernel, channels), channels, kernel * kernel, 3)
        y = output(index, *out, channels)
        pairs = (Pair(kernel, kernel), Pair(stride, stride), Pair(1, 1))
        return DepthwiseConv2D(index, (x, *constants), (y,), FULL, Rounding.DOUBLE, *pairs, padding)

    return make


def pool(kernel: int, stride: int, kind: type[Pool2D] = AveragePool2D) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        padding, out = _slide(x, kernel, stride)
        y = output(index, *out, x.image.channels)
        return kind(index, (x,), (y,), Pair(kernel, kernel), Pair(stride, stride), Pair(1, 1), padding, FULL)

    return make


def max_pool(kernel: int, stride: int) -> Layer:
    return pool(kernel, stride, MaxPool2D)


def global_pool(index: int, x: Tensor) -> Op:
    """One window over the whole image."""
    size, y = Pair(x.image.rows, x.image.columns), output(index, 1, 1, x.image.channels)
    return AveragePool2D(index, (x,), (y,), size, size, Pair(1, 1), Padding(), FULL)


def global_mean(index: int, x: Tensor) -> Op:
    table = Tensor(f"axes{index}", (2,), DType.INT32, None, np.array((1, 2), np.int32))
    y = Tensor(f"t{index + 1}", (1, x.image.channels), DType.INT8, Quant((0.01,), (3,)))
    return Mean(index, (x, table), (y,), (1, 2), False, Rounding.DOUBLE)


def pad(amounts: tuple[tuple[int, int], ...]) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        shape = [n + a + b for n, (a, b) in zip(x.shape, amounts, strict=True)]
        table = Tensor(f"p{index}", (4, 2), DType.INT32, None, np.array(amounts, np.int32))
        return Pad(index, (x, table), (output(index, *shape[1:]),), amounts)

    return make


def relu(index: int, x: Tensor) -> Op:
    return Relu(index, (x,), (output(index, *x.image, quant=Quant((0.03,), (-60,))),), Rounding.DOUBLE)


def copy(index: int, x: Tensor) -> Op:
    """The same values: so that what lies between two operators need not be whole."""
    return Quantize(index, (x,), (output(index, *x.image, x.quant or QUANT),), Rounding.DOUBLE)


def double(index: int, x: Tensor) -> Op:
    """x + x."""
    return Add(index, (x, x), (output(index, *x.image, quant=Quant((0.09,), (4,))),), FULL, Rounding.DOUBLE)


def plus_vector(index: int, x: Tensor) -> Op:
    values = RNG.integers(-128, 128, (x.image.channels,), dtype=np.int8)
    vector = Tensor(f"v{index}", values.shape, DType.INT8, Quant((0.02,), (9,)), values)
    return Add(index, (vector, x), (output(index, *x.image),), FULL, Rounding.DOUBLE)


def softmax(index: int, x: Tensor) -> Op:
    return Softmax(index, (x,), (output(index, *x.image, quant=Quant((1 / 256,), (-128,))),), 1.0)


def chain(layers: Sequence[Layer], rows: int, columns: int, channels: int) -> Graph:
    x = Tensor("t0", (1, rows, columns, channels), DType.INT8, QUANT)
    ops: list[Op] = []
    for index, layer in enumerate(layers):
        ops.append(layer(index, ops[-1].y if ops else x))
    return Graph("chain", tuple(ops), (x,), (ops[-1].y,))


def residual(rows: int, columns: int, channels: int) -> Graph:
    """x -> conv -> dw -> + conv -> pool: one tensor has two consumers."""
    x = Tensor("t0", (1, rows, columns, channels), DType.INT8, QUANT)
    a = conv(3, 1, channels)(0, x)
    b = dw(3, 1)(1, a.y)
    c = Add(2, (a.y, b.y), (output(2, *a.y.image),), FULL, Rounding.DOUBLE)
    d = pool(3, 2)(3, c.y)
    return Graph("residual", (a, b, c, d), (x,), (d.y,))
