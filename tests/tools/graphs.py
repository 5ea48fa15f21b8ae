"""Graphs built in a few lines, with seeded random weights: what pass and planner tests work on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tecompile.graph import Clamp, DType, Graph, Op, Padding, Quant, Rounding, Tensor
from tecompile.ops.add import Add
from tecompile.ops.concatenation import Concatenation
from tecompile.ops.conv2d import Conv2D
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.geometry import Pair, same_padding
from tecompile.ops.logistic import Logistic
from tecompile.ops.mean import Mean
from tecompile.ops.mul import Mul
from tecompile.ops.pad import Pad
from tecompile.ops.pool2d import AveragePool2D, MaxPool2D
from tecompile.ops.relu import Relu
from tecompile.ops.reshape import Reshape
from tecompile.ops.resize_nearest_neighbor import ResizeNearestNeighbor

FULL = Clamp(-128, 127)


@dataclass
class Builder:
    """Adds operators one by one; `graph` freezes what was built."""

    seed: int = 0
    dtype: DType = DType.INT8
    ops: list[Op] = field(default_factory=list)
    inputs: list[Tensor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.names = 0

    @property
    def wide(self) -> bool:
        """Is this a network of int16, whose zero points are 0?"""
        return self.dtype is DType.INT16

    @property
    def clamp(self) -> Clamp:
        return Clamp(*self.dtype.bounds)

    def graph(self, *outputs: Tensor) -> Graph:
        return Graph("built", tuple(self.ops), tuple(self.inputs), outputs)

    def tensor(self, *shape: int, scale: float = 0.05, zero: int = 3, prefix: str = "t") -> Tensor:
        self.names += 1
        quant = Quant((scale / 256,), (0,)) if self.wide else Quant((scale,), (zero,))
        return Tensor(f"{prefix}{self.names}", shape, self.dtype, quant)

    def input(self, *shape: int) -> Tensor:
        tensor = self.tensor(*shape, prefix="in")
        self.inputs.append(tensor)
        return tensor

    def conv(
        self,
        x: Tensor,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        same: bool = True,
        *,
        hole: int = 1,
        groups: int = 1,
    ) -> Tensor:
        """`hole` is the distance between taps."""
        weights = self._weights((channels, kernel, kernel, x.shape[3] // groups), channels, 0)
        y, padding = self._windowed(x, channels, kernel, stride, same, hole)
        pairs = (Pair(kernel, kernel), Pair(stride, stride), Pair(hole, hole))
        inputs = (x, weights, self._bias(channels))
        self.ops.append(Conv2D(len(self.ops), inputs, (y,), self.clamp, Rounding.DOUBLE, *pairs, padding))
        return y

    def dw(
        self, x: Tensor, kernel: int = 3, stride: int = 1, same: bool = True, *, hole: int = 1, multiplier: int = 1
    ) -> Tensor:
        channels = x.shape[3] * multiplier
        weights = self._weights((1, kernel, kernel, channels), channels, 3)
        y, padding = self._windowed(x, channels, kernel, stride, same, hole)
        pairs = (Pair(kernel, kernel), Pair(stride, stride), Pair(hole, hole))
        inputs = (x, weights, self._bias(channels))
        self.ops.append(DepthwiseConv2D(len(self.ops), inputs, (y,), self.clamp, Rounding.DOUBLE, *pairs, padding))
        return y

    def maxpool(self, x: Tensor, kernel: int = 2) -> Tensor:
        y = Tensor(self._name(), (1, x.shape[1] // kernel, x.shape[2] // kernel, x.shape[3]), x.dtype, x.quant)
        pairs = (Pair(kernel, kernel), Pair(kernel, kernel), Pair(1, 1))
        self.ops.append(MaxPool2D(len(self.ops), (x,), (y,), *pairs, Padding(), self.clamp))
        return y

    def global_average(self, x: Tensor) -> Tensor:
        y = Tensor(self._name(), (1, 1, 1, x.shape[3]), x.dtype, x.quant)
        pairs = (Pair(*x.shape[1:3]), Pair(1, 1), Pair(1, 1))
        self.ops.append(AveragePool2D(len(self.ops), (x,), (y,), *pairs, Padding(), self.clamp))
        return y

    def global_mean(self, x: Tensor) -> Tensor:
        axes = Tensor(self._name(), (2,), DType.INT32, None, np.array([1, 2], np.int32))
        y = self.tensor(1, 1, 1, x.shape[3], scale=0.03, zero=-20)
        self.ops.append(Mean(len(self.ops), (x, axes), (y,), (1, 2), True, Rounding.DOUBLE))
        return y

    def resize(self, x: Tensor, rows: int, columns: int) -> Tensor:
        y = Tensor(self._name(), (1, rows, columns, x.shape[3]), x.dtype, x.quant)
        size = Tensor(self._name(), (2,), DType.INT32, None, np.array([rows, columns], np.int32))
        self.ops.append(ResizeNearestNeighbor(len(self.ops), (x, size), (y,), False, False))
        return y

    def concat(self, *parts: Tensor, axis: int = 3) -> Tensor:
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        y = Tensor(self._name(), tuple(shape), parts[0].dtype, parts[0].quant)
        self.ops.append(Concatenation(len(self.ops), parts, (y,), axis, "NONE"))
        return y

    def mul(self, a: Tensor, b: Tensor) -> Tensor:
        y = self.tensor(*np.broadcast_shapes(a.shape, b.shape), scale=0.2, zero=7)
        self.ops.append(Mul(len(self.ops), (a, b), (y,), self.clamp, Rounding.DOUBLE))
        return y

    def logistic(self, x: Tensor) -> Tensor:
        quant = Quant((2.0**-15,), (0,)) if self.wide else Quant((1 / 256,), (-128,))
        y = Tensor(self._name(), x.shape, x.dtype, quant)
        self.ops.append(Logistic(len(self.ops), (x,), (y,)))
        return y

    def add(self, a: Tensor, b: Tensor) -> Tensor:
        y = self.tensor(*np.broadcast_shapes(a.shape, b.shape), scale=0.07, zero=-5)
        self.ops.append(Add(len(self.ops), (a, b), (y,), self.clamp, Rounding.DOUBLE))
        return y

    def pad(self, x: Tensor, top: int, bottom: int, left: int, right: int) -> Tensor:
        amounts = ((0, 0), (top, bottom), (left, right), (0, 0))
        shape = tuple(n + before + after for n, (before, after) in zip(x.shape, amounts, strict=True))
        y = Tensor(self._name(), shape, x.dtype, x.quant)
        table = Tensor(self._name(), (4, 2), DType.INT32, None, np.array(amounts, np.int32))
        self.ops.append(Pad(len(self.ops), (x, table), (y,), amounts))
        return y

    def relu(self, x: Tensor) -> Tensor:
        y = Tensor(self._name(), x.shape, x.dtype, x.quant)
        self.ops.append(Relu(len(self.ops), (x,), (y,), Rounding.DOUBLE))
        return y

    def reshape(self, x: Tensor, *shape: int) -> Tensor:
        y = Tensor(self._name(), shape, x.dtype, x.quant)
        self.ops.append(Reshape(len(self.ops), (x,), (y,)))
        return y

    def _name(self) -> str:
        self.names += 1
        return f"t{self.names}"

    def _windowed(
        self, x: Tensor, channels: int, kernel: int, stride: int, same: bool, hole: int
    ) -> tuple[Tensor, Padding]:
        sizes, extent = x.shape[1:3], (kernel - 1) * hole + 1
        if not same:
            rows, columns = ((n - extent) // stride + 1 for n in sizes)
            return self.tensor(1, rows, columns, channels), Padding()
        rows, columns = (-(-n // stride) for n in sizes)
        pads = [same_padding(n, out, stride, extent) for n, out in zip(sizes, (rows, columns), strict=True)]
        return self.tensor(1, rows, columns, channels), Padding(*pads[0], *pads[1])

    def _weights(self, shape: tuple[int, ...], channels: int, axis: int) -> Tensor:
        scales = tuple(float(np.float32(s)) for s in self.random.uniform(0.001, 0.01, channels))
        data = self.random.integers(-127, 128, shape).astype(np.int8)
        return Tensor(self._name(), shape, DType.INT8, Quant(scales, (0,) * channels, axis), data)

    def _bias(self, channels: int) -> Tensor:
        """Of 64 bits for int16."""
        kind = DType.INT64 if self.wide else DType.INT32
        data = self.random.integers(-3000, 3000, channels).astype(kind.numpy)
        return Tensor(self._name(), (channels,), kind, None, data)
