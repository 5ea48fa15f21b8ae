"""Operators that fewer networks have: built by name, as a file states them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tecompile.graph import DType, Node, OptionValue, Quant, Tensor
from tecompile.ops import OPERATORS

from .graphs import Builder

SIGMOIDS = {"LOGISTIC": Quant((1 / 256,), (-128,)), "TANH": Quant((1 / 128,), (0,))}
PASSED_ON = ("MAXIMUM", "MINIMUM")  # values of an operand, as they are


class FullBuilder(Builder):
    """Sizes are those of images [1, rows, columns, channels] unless a method says otherwise."""

    def op(self, kind: str, inputs: Sequence[Tensor], *outputs: Tensor, **options: OptionValue) -> Tensor:
        node = Node(len(self.ops), kind, tuple(inputs), outputs, options)
        self.ops.append(OPERATORS[kind].from_options(node))
        return outputs[0]

    def like(self, x: Tensor, *shape: int) -> Tensor:
        """A tensor of another shape that holds the same kind of values."""
        return Tensor(self._name(), shape, x.dtype, x.quant)

    def table(self, *values: int) -> Tensor:
        return Tensor(self._name(), (len(values),), DType.INT32, None, np.array(values, np.int32))

    def constant(self, like: Tensor, *shape: int) -> Tensor:
        low, high = like.dtype.bounds
        data = self.random.integers(low, high + 1, shape).astype(like.dtype.numpy)
        return Tensor(self._name(), shape, like.dtype, like.quant, data)

    def pair(self, kind: str, a: Tensor, b: Tensor) -> Tensor:
        shape = np.broadcast_shapes(a.shape, b.shape)
        y = self.like(a, *shape) if kind in PASSED_ON else self.tensor(*shape, scale=0.09, zero=-11)
        return self.op(kind, (a, b), y)

    def curve(self, kind: str, x: Tensor, **options: OptionValue) -> Tensor:
        """A function of each value alone."""
        y = self.tensor(*x.shape, scale=0.06, zero=-30)
        if kind in SIGMOIDS:
            quant = Quant((2.0**-15,), (0,)) if self.wide else SIGMOIDS[kind]
            y = Tensor(self._name(), x.shape, x.dtype, quant)
        return self.op(kind, (x,), y, **options)

    def softmax(self, x: Tensor) -> Tensor:
        quant = Quant((2.0**-15,), (0,)) if self.wide else SIGMOIDS["LOGISTIC"]
        return self.op("SOFTMAX", (x,), Tensor(self._name(), x.shape, x.dtype, quant), beta=1.0)

    def fully_connected(self, x: Tensor, channels: int) -> Tensor:
        """Of all values, or of each image's if there are several rows of them: [rows, values]."""
        weights = self._weights((channels, x.shape[-1]), channels, 0)
        return self.op("FULLY_CONNECTED", (x, weights, self._bias(channels)), self.tensor(x.shape[0], channels))

    def bilinear(self, x: Tensor, rows: int, columns: int, *, align: bool, half: bool) -> Tensor:
        y, size = self.like(x, 1, rows, columns, x.shape[3]), self.table(rows, columns)
        return self.op("RESIZE_BILINEAR", (x, size), y, align_corners=align, half_pixel_centers=half)

    def transpose_conv(self, x: Tensor, channels: int, kernel: int, stride: int, same: bool) -> Tensor:
        beyond = 0 if same else max(kernel - stride, 0)
        y = self.tensor(1, *(n * stride + beyond for n in x.shape[1:3]), channels)
        weights = self._weights((channels, kernel, kernel, x.shape[3]), channels, 0)
        inputs = (self.table(*y.shape), weights, x, self._bias(channels))
        padding = "SAME" if same else "VALID"
        return self.op("TRANSPOSE_CONV", inputs, y, stride_h=stride, stride_w=stride, padding=padding)

    def slice(self, x: Tensor, begin: Sequence[int], sizes: Sequence[int]) -> Tensor:
        return self.op("SLICE", (x, self.table(*begin), self.table(*sizes)), self.like(x, *sizes))

    def strided(self, x: Tensor, begin: Sequence[int], end: Sequence[int], steps: Sequence[int]) -> Tensor:
        shape = [len(range(*bounds)) for bounds in zip(begin, end, steps, strict=True)]
        tables = (self.table(*values) for values in (begin, end, steps))
        return self.op("STRIDED_SLICE", (x, *tables), self.like(x, *shape))

    def split(self, x: Tensor, axis: int, parts: int) -> tuple[Tensor, ...]:
        shape = [n // parts if i == axis else n for i, n in enumerate(x.shape)]
        outputs = tuple(self.like(x, *shape) for _ in range(parts))
        scalar = Tensor(self._name(), (), DType.INT32, None, np.array(axis, np.int32))
        self.op("SPLIT", (scalar, x), *outputs)
        return outputs

    def transpose(self, x: Tensor, *order: int) -> Tensor:
        return self.op("TRANSPOSE", (x, self.table(*order)), self.like(x, *(x.shape[i] for i in order)))

    def reverse(self, x: Tensor, axis: int) -> Tensor:
        return self.op("REVERSE_V2", (x, self.table(axis)), self.like(x, *x.shape))

    def to_blocks(self, x: Tensor, block: int) -> Tensor:
        _, rows, columns, channels = x.shape
        y = self.like(x, 1, rows // block, columns // block, channels * block * block)
        return self.op("SPACE_TO_DEPTH", (x,), y, block_size=block)

    def to_pixels(self, x: Tensor, block: int) -> Tensor:
        _, rows, columns, channels = x.shape
        y = self.like(x, 1, rows * block, columns * block, channels // (block * block))
        return self.op("DEPTH_TO_SPACE", (x,), y, block_size=block)

    def mirror(self, x: Tensor, rows: tuple[int, int], columns: tuple[int, int], symmetric: bool) -> Tensor:
        amounts = ((0, 0), rows, columns, (0, 0))
        y = self.like(x, *(n + sum(pair) for n, pair in zip(x.shape, amounts, strict=True)))
        table = Tensor(self._name(), (4, 2), DType.INT32, None, np.array(amounts, np.int32))
        return self.op("MIRROR_PAD", (x, table), y, mode=int(symmetric))

    def tile(self, x: Tensor, *counts: int) -> Tensor:
        y = self.like(x, *(n * count for n, count in zip(x.shape, counts, strict=True)))
        return self.op("TILE", (x, self.table(*counts)), y)

    def gather(self, x: Tensor, axis: int, places: Sequence[int]) -> Tensor:
        shape = [len(places) if i == axis else n for i, n in enumerate(x.shape)]
        return self.op("GATHER", (x, self.table(*places)), self.like(x, *shape), axis=axis)

    def reduce(self, kind: str, x: Tensor, *axes: int) -> Tensor:
        """MEAN and SUM scale their result anew."""
        shape = [1 if i in axes else n for i, n in enumerate(x.shape)]
        y = self.tensor(*shape, scale=0.04, zero=-9) if kind in ("MEAN", "SUM") else self.like(x, *shape)
        return self.op(kind, (x, self.table(*axes)), y, keep_dims=True)

    def cumsum(self, x: Tensor, axis: int, exclusive: bool, reverse: bool) -> Tensor:
        y = self.tensor(*x.shape, scale=0.2, zero=4)
        return self.op("CUMSUM", (x, self.table(axis)), y, exclusive=exclusive, reverse=reverse)

    def arg(self, kind: str, x: Tensor, axis: int) -> Tensor:
        shape = tuple(n for i, n in enumerate(x.shape) if i != axis)
        return self.op(kind, (x, self.table(axis)), Tensor(self._name(), shape, DType.INT32))

    def mask(self, kind: str, *operands: Tensor) -> Tensor:
        """Of a comparison, or a combination of masks."""
        shape = np.broadcast_shapes(*(t.shape for t in operands))
        return self.op(kind, operands, Tensor(self._name(), shape, DType.BOOL))

    def select(self, condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
        shape = np.broadcast_shapes(condition.shape, yes.shape, no.shape)
        return self.op("SELECT_V2", (condition, yes, no), self.like(yes, *shape))
