"""Random operators, built directly: one short function for each kind, all draws from one generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import numpy as np

from tecompile.graph import Clamp, DType, Graph, Op, Padding, Quant, Rounding, Tensor
from tecompile.ops.add import Add
from tecompile.ops.conv2d import Conv2D
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.fully_connected import FullyConnected
from tecompile.ops.geometry import Pair
from tecompile.ops.mean import Mean
from tecompile.ops.pad import Pad
from tecompile.ops.pool2d import AveragePool2D, MaxPool2D
from tecompile.ops.quantize import Quantize
from tecompile.ops.relu import Relu, Relu6
from tecompile.ops.softmax import Softmax

from .more_ops import MORE_KINDS

T = TypeVar("T")
SOFTMAX_OUTPUT = Quant((1 / 256,), (-128,))


@dataclass(frozen=True)
class Draw:
    """A generator with the draws that operators need."""

    rng: np.random.Generator

    def number(self, low: int, high: int) -> int:
        """Both ends included."""
        return int(self.rng.integers(low, high + 1))

    def pick(self, *values: T) -> T:
        return values[self.number(0, len(values) - 1)]

    def power(self, low: float, high: float) -> float:
        """A float32 whose logarithm is spread evenly, often a power of two."""
        exponent = self.rng.uniform(low, high)
        return float(np.float32(2.0 ** (round(exponent) if self.number(0, 3) == 0 else exponent)))

    def quant(self, low: float = -9, high: float = 1, zero: int | None = None) -> Quant:
        return Quant(
            (self.power(low, high),), (self.pick(0, -128, 127, self.number(-128, 127)) if zero is None else zero,)
        )

    def tensor(self, name: str, shape: tuple[int, ...], quant: Quant | None = None) -> Tensor:
        return Tensor(name, shape, DType.INT8, quant or self.quant())

    def constant(self, name: str, shape: tuple[int, ...], quant: Quant) -> Tensor:
        low = self.pick(-128, -127, -127, -2)
        return Tensor(
            name, shape, DType.INT8, quant, self.rng.integers(low, 128 if low < -2 else 3, shape, dtype=np.int8)
        )

    def clamp(self) -> Clamp:
        low, high = sorted((self.number(-128, 127), self.number(-128, 127)))
        return self.pick(Clamp(-128, 127), Clamp(-128, 127), Clamp(low, high))

    def rounding(self) -> Rounding:
        return self.pick(Rounding.DOUBLE, Rounding.DOUBLE, Rounding.SINGLE)

    def bias(self, channels: int) -> tuple[Tensor, ...]:
        size = self.pick(0, 100, 30000, 2**31 - 1)
        values = self.rng.integers(-size, size + 1, channels, dtype=np.int64).astype(np.int32)
        return () if self.number(0, 5) == 0 else (Tensor("bias", (channels,), DType.INT32, None, values),)


@dataclass(frozen=True)
class Scaled:
    """Quantisations of a layer that sums products."""

    x: Quant
    weights: Quant
    y: Quant


def scaled(draw: Draw, channels: int, depth: int, axis: int) -> Scaled:
    """Mostly outputs that spread over the range, sometimes any factor from 2^-31 to 2^3."""
    per_channel = channels if draw.number(0, 3) else 1
    spread = -6 - np.log2(depth) / 2
    low, high = draw.pick((spread - 2, spread + 2), (spread - 2, spread + 2), (-20.0, 3.0), (-31.0, -20.0))
    x, y = draw.quant(), draw.quant()
    factors = [draw.power(low, high) * draw.pick(1, 1, 1, -1) for _ in range(per_channel)]
    if draw.number(0, 3) == 0:  # exact halves, where rounding twice matters
        x, y = (Quant((2.0 ** round(np.log2(q.scale)),), q.zero_points) for q in (x, y))
        factors = [float(np.copysign(2.0 ** round(np.log2(abs(f))), f)) for f in factors]
    scales = tuple(float(np.float32(f * y.scale / x.scale)) for f in factors)
    return Scaled(x, Quant(scales, (0,) * per_channel, axis), y)


@dataclass(frozen=True)
class Window:
    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: Padding
    rows: int
    columns: int
    out: Pair


def window(
    draw: Draw, kernels: tuple[int, ...] = (1, 2, 3, 3, 3, 5), dilations: tuple[int, ...] = (1, 1, 1, 2)
) -> Window:
    """A window with at least one pixel of the image in each position."""
    kernel = Pair(draw.pick(*kernels), draw.pick(*kernels))
    stride, dilation = (
        Pair(draw.pick(1, 1, 2, 3), draw.pick(1, 1, 2, 3)),
        Pair(draw.pick(*dilations), draw.pick(*dilations)),
    )
    extent = Pair(*((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)))
    pads = [
        draw.number(0, (k - 1) * draw.number(0, 1)) for k in (kernel.rows, kernel.rows, kernel.columns, kernel.columns)
    ]
    padding = Padding(*pads)
    rows = draw.number(max(1, extent.rows - padding.top - padding.bottom), 9 + extent.rows)
    columns = draw.number(max(1, extent.columns - padding.left - padding.right), 9 + extent.columns)
    out = Pair(
        (rows + padding.top + padding.bottom - extent.rows) // stride.rows + 1,
        (columns + padding.left + padding.right - extent.columns) // stride.columns + 1,
    )
    return Window(kernel, stride, dilation, padding, rows, columns, out)


def conv2d(draw: Draw) -> Op:
    w, cin, cout = window(draw), draw.number(1, 9), draw.number(1, 9)
    if draw.number(0, 2) == 0:
        w = window(draw, kernels=(1,), dilations=(1,))
    q = scaled(draw, cout, w.kernel.rows * w.kernel.columns * cin, 0)
    x, y = draw.tensor("x", (1, w.rows, w.columns, cin), q.x), draw.tensor("y", (1, *w.out, cout), q.y)
    weights = draw.constant("w", (cout, *w.kernel, cin), q.weights)
    inputs = (x, weights, *draw.bias(cout))
    return Conv2D(0, inputs, (y,), draw.clamp(), draw.rounding(), w.kernel, w.stride, w.dilation, w.padding)


def depthwise(draw: Draw) -> Op:
    w, cin, multiplier = window(draw), draw.number(1, 9), draw.pick(1, 1, 2, 3)
    cout = cin * multiplier
    q = scaled(draw, cout, w.kernel.rows * w.kernel.columns, 3)
    x, y = draw.tensor("x", (1, w.rows, w.columns, cin), q.x), draw.tensor("y", (1, *w.out, cout), q.y)
    weights = draw.constant("w", (1, *w.kernel, cout), q.weights)
    inputs = (x, weights, *draw.bias(cout))
    return DepthwiseConv2D(0, inputs, (y,), draw.clamp(), draw.rounding(), w.kernel, w.stride, w.dilation, w.padding)


def fully_connected(draw: Draw) -> Op:
    batches, depth, channels = draw.pick(1, 1, 3), draw.number(1, 40), draw.number(1, 11)
    q = scaled(draw, draw.pick(1, channels), depth, 0)
    quant = q.weights
    if quant.per_tensor and draw.number(0, 2):
        quant = Quant(quant.scales, (draw.number(-128, 127),), 0)
    x, y = draw.tensor("x", (batches, depth), q.x), draw.tensor("y", (batches, channels), q.y)
    inputs = (x, draw.constant("w", (channels, depth), quant), *draw.bias(channels))
    return FullyConnected(0, inputs, (y,), draw.clamp(), draw.rounding(), "DEFAULT")


def shape(draw: Draw, least: int = 1, most: int = 4, largest: int = 6) -> tuple[int, ...]:
    return tuple(draw.number(1, largest) for _ in range(draw.number(least, most)))


def add(draw: Draw) -> Op:
    y_shape = shape(draw)
    kind = draw.pick("same", "same", "broadcast", "constant", "repeated")
    shapes = [y_shape, y_shape]
    if kind == "repeated":
        shapes[draw.number(0, 1)] = y_shape[draw.pick(0, draw.number(0, len(y_shape))) :]
    elif kind != "same":
        shapes[draw.number(0, 1)] = tuple(draw.pick(n, 1) for n in y_shape)[draw.number(0, len(y_shape) - 1) :]
    if kind == "broadcast" and draw.number(0, 1):
        shapes = [tuple(1 if i == k % len(y_shape) else n for i, n in enumerate(y_shape)) for k in (0, 1)]
    y_shape = np.broadcast_shapes(*shapes)
    tensors = [draw.tensor(name, s) for name, s in zip("ab", shapes, strict=True)]
    if kind in ("constant", "repeated"):
        index = shapes.index(min(shapes, key=len)) if kind == "repeated" else draw.number(0, 1)
        tensors[index] = draw.constant("c", shapes[index], draw.quant())
    larger = max(t.scale for t in tensors)
    quant = Quant((float(np.float32(larger / draw.power(-8, draw.pick(3, 17)))),), draw.quant().zero_points)
    return Add(0, tuple(tensors), (draw.tensor("y", y_shape, quant),), draw.clamp(), draw.rounding())


def pool(kind: type[AveragePool2D] | type[MaxPool2D]) -> Callable[[Draw], Op]:
    def make(draw: Draw) -> Op:
        w, channels, quant = window(draw, kernels=(1, 2, 3, 3, 5, 7), dilations=(1,)), draw.number(1, 9), draw.quant()
        x, y = (draw.tensor(*a, quant) for a in (("x", (1, w.rows, w.columns, channels)), ("y", (1, *w.out, channels))))
        return kind(0, (x,), (y,), w.kernel, w.stride, Pair(1, 1), w.padding, draw.clamp())

    return make


def mean(draw: Draw) -> Op:
    x = draw.tensor("x", shape(draw, 1, 4, 7))
    axes = tuple(a for a in range(len(x.shape)) if draw.number(0, 1)) or (draw.number(0, len(x.shape) - 1),)
    kept = tuple(n for a, n in enumerate(x.shape) if a not in axes)
    quant = Quant((float(np.float32(x.scale * draw.power(-4, draw.pick(0, 4)))),), draw.quant().zero_points)
    table = Tensor("axes", (len(axes),), DType.INT32, None, np.array(axes, np.int32))
    return Mean(0, (x, table), (draw.tensor("y", kept, quant),), axes, False, draw.rounding())


def softmax(draw: Draw) -> Op:
    x = draw.tensor("x", (*shape(draw)[:-1], draw.pick(1, 2, 10, 37, 700)), draw.quant(-12, 2))
    return Softmax(0, (x,), (draw.tensor("y", x.shape, SOFTMAX_OUTPUT),), draw.pick(1.0, 1.0, 0.3))


def pad(draw: Draw) -> Op:
    x = draw.tensor("x", draw.pick(shape(draw), (1, *shape(draw, 3, 3))))
    amounts = tuple((draw.number(0, 3), draw.number(0, 3)) if draw.number(0, 1) else (0, 0) for _ in x.shape)
    if len(x.shape) == 4 and draw.number(0, 1):
        amounts = ((0, 0), amounts[1], amounts[2], (0, 0))
    grown = tuple(n + a + b for n, (a, b) in zip(x.shape, amounts, strict=True))
    table = Tensor("amounts", (len(amounts), 2), DType.INT32, None, np.array(amounts, np.int32))
    return Pad(0, (x, table), (draw.tensor("y", grown, x.quant),), amounts)


def quantize(draw: Draw) -> Op:
    kinds = [draw.pick(DType.INT8, DType.UINT8) for _ in range(2)]
    y_scale = draw.power(-9, 1)
    x_scale = float(np.float32(y_scale * draw.power(-3, draw.pick(3, 12))))
    x_shape = shape(draw)
    tensors = [
        Tensor(name, x_shape, kind, Quant((scale,), (draw.number(*kind.bounds),)))
        for name, kind, scale in zip("xy", kinds, (x_scale, y_scale), strict=True)
    ]
    return Quantize(0, (tensors[0],), (tensors[1],), draw.rounding())


def relu(draw: Draw) -> Op:
    x = draw.tensor("x", shape(draw))
    rescaled = Quant((float(np.float32(x.scale * draw.power(-3, 1))),), draw.quant().zero_points)
    quant = draw.pick(x.quant, rescaled, rescaled, draw.quant())
    y = draw.tensor("y", x.shape, quant)
    return draw.pick(Relu(0, (x,), (y,), draw.rounding()), Relu6(0, (x,), (y,)))


KINDS: Mapping[str, Callable[[Draw], Op]] = {
    "add": add,
    "average_pool": pool(AveragePool2D),
    "conv2d": conv2d,
    "depthwise": depthwise,
    "fully_connected": fully_connected,
    "max_pool": pool(MaxPool2D),
    "mean": mean,
    "pad": pad,
    "quantize": quantize,
    "relu": relu,
    "softmax": softmax,
    **MORE_KINDS,
}


def one_op_graph(op: Op, name: str = "net") -> Graph:
    assert prod(op.y.shape) > 0
    assert not [*op.invalid(), *op.unsupported()]
    return Graph(name, (op,), op.activations, op.outputs, op.variables)
