"""Whole networks with seeded weights, written by our own writer: they need no files from elsewhere."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping

import numpy as np

from tests.tools.tflite_writer import ModelSpec, OpSpec, OptionValue, TensorSpec, write_model

Shape = tuple[int, ...]
SCALE, ZERO = 0.05, -4


class Network:
    """Grows one operator at a time; values are named by their tensor's index."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.tensors: list[TensorSpec] = []
        self.ops: list[OpSpec] = []

    def model(self, inputs: list[int], outputs: list[int]) -> bytes:
        return write_model(ModelSpec(tuple(self.tensors), tuple(self.ops), tuple(inputs), tuple(outputs)))

    def tensor(self, shape: Shape, dtype: str = "int8", scale: float | None = SCALE, zero: int = ZERO) -> int:
        return self._add(TensorSpec(shape, dtype, scale, zero, name=f"v{len(self.tensors)}"))

    def constant(self, values: object, dtype: str = "int32") -> int:
        data = np.array(values, dtype)
        return self._add(TensorSpec(data.shape, dtype, data=data, name=f"c{len(self.tensors)}"))

    def op(self, kind: str, inputs: list[int], y: int, **options: OptionValue) -> int:
        self.ops.append(OpSpec(kind, tuple(inputs), (y,), options))
        return y

    def shape(self, value: int) -> Shape:
        return self.tensors[value].shape

    def conv(self, x: int, channels: int, kernel: int = 1, stride: int = 1, padding: str = "SAME", **fused: str) -> int:
        taps = (channels, kernel, kernel, self.shape(x)[3])
        y = self.tensor((1, *self._pixels(x, kernel, stride, padding), channels))
        return self.op("CONV_2D", [x, *self._weights(taps, 0)], y, **_window(stride, padding), **_activation(fused))

    def dw(self, x: int, kernel: int = 3, stride: int = 1, multiplier: int = 1, **fused: str) -> int:
        channels = self.shape(x)[3] * multiplier
        y = self.tensor((1, *self._pixels(x, kernel, stride, "SAME"), channels))
        weights = self._weights((1, kernel, kernel, channels), 3)
        options = {**_window(stride, "SAME"), **_activation(fused), "depth_multiplier": multiplier}
        return self.op("DEPTHWISE_CONV_2D", [x, *weights], y, **options)

    def fc(self, x: int, channels: int) -> int:
        depth = self.shape(x)[-1]
        weights = self._weights((channels, depth), 0, per_channel=False)
        return self.op("FULLY_CONNECTED", [x, *weights], self.tensor((1, channels)))

    def pool(self, x: int, kind: str, kernel: int) -> int:
        _, rows, columns, channels = self.shape(x)
        y = self.tensor((1, rows // kernel, columns // kernel, channels))
        return self.op(kind, [x], y, **_window(kernel, "VALID"), filter_height=kernel, filter_width=kernel)

    def resize(self, x: int, rows: int, columns: int) -> int:
        y = self.tensor((1, rows, columns, self.shape(x)[3]))
        return self.op("RESIZE_NEAREST_NEIGHBOR", [x, self.constant([rows, columns])], y, half_pixel_centers=True)

    def concat(self, *parts: int) -> int:
        channels = sum(self.shape(x)[3] for x in parts)
        return self.op("CONCATENATION", list(parts), self.tensor((*self.shape(parts[0])[:3], channels)), axis=3)

    def gate(self, x: int) -> int:
        """Squeeze and excite."""
        channels = self.shape(x)[3]
        squeezed = self.conv(self.mean(x, keep_dims=True), channels)
        excite = self.op("LOGISTIC", [squeezed], self.tensor((1, 1, 1, channels), scale=1 / 256, zero=-128))
        return self.op("MUL", [x, excite], self.tensor(self.shape(x), scale=SCALE / 2))

    def pad(self, x: int, top: int, bottom: int, left: int, right: int) -> int:
        _, rows, columns, channels = self.shape(x)
        table = self.constant([[0, 0], [top, bottom], [left, right], [0, 0]])
        return self.op("PAD", [x, table], self.tensor((1, rows + top + bottom, columns + left + right, channels)))

    def add(self, a: int, b: int) -> int:
        return self.op("ADD", [a, b], self.tensor(self.shape(a), scale=0.07, zero=9))

    def mean(self, x: int, keep_dims: bool = False) -> int:
        channels = self.shape(x)[3]
        y = self.tensor((1, 1, 1, channels) if keep_dims else (1, channels), scale=0.03)
        return self.op("MEAN", [x, self.constant([1, 2])], y, keep_dims=keep_dims)

    def softmax(self, x: int) -> int:
        return self.op("SOFTMAX", [x], self.tensor(self.shape(x), scale=1 / 256, zero=-128), beta=1.0)

    def flatten(self, x: int) -> int:
        """As Keras' Flatten is converted: the batch size is asked of the value at run time."""
        shape = self.op("SHAPE", [x], self.tensor((4,), "int32", None, 0))
        bounds = [self.constant([i]) for i in (0, 1, 1)]
        batch = self.op("STRIDED_SLICE", [shape, *bounds], self.tensor((), "int32", None, 0), shrink_axis_mask=1)
        wanted = self.op("PACK", [batch, self.constant(-1)], self.tensor((2,), "int32", None, 0), values_count=2)
        return self.op("RESHAPE", [x, wanted], self.tensor((1, math.prod(self.shape(x)))))

    def _add(self, tensor: TensorSpec) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def _pixels(self, x: int, kernel: int, stride: int, padding: str) -> Shape:
        lost = 0 if padding == "SAME" else kernel - 1
        return tuple(-(-(size - lost) // stride) for size in self.shape(x)[1:3])

    def _weights(self, shape: Shape, axis: int, per_channel: bool = True) -> list[int]:
        """Weights whose sums spread over int8, and biases."""
        channels = shape[axis]
        taps = math.prod(shape) / channels
        scales = 1 / (74 * math.sqrt(taps)) * self.random.uniform(0.5, 1.5, channels if per_channel else 1)
        scale = tuple(scales.tolist()) if per_channel else float(scales[0])
        data = self.random.integers(-128, 128, shape, dtype=np.int8)
        weights = self._add(TensorSpec(shape, "int8", scale, axis=axis, data=data, name=f"w{len(self.tensors)}"))
        biases = self.random.integers(-3000, 3000, channels, dtype=np.int32)
        products = tuple((SCALE * scales).tolist()) if per_channel else float(SCALE * scales[0])
        bias = self._add(TensorSpec((channels,), "int32", products, data=biases, name=f"b{len(self.tensors)}"))
        return [weights, bias]


def _window(stride: int, padding: str) -> dict[str, OptionValue]:
    return {"stride_h": stride, "stride_w": stride, "padding": padding}


def _activation(fused: Mapping[str, str]) -> dict[str, OptionValue]:
    return {"fused_activation_function": fused.get("activation", "NONE")}


# --- the networks ---------------------------------------------------------------------------------


def mobile() -> bytes:
    """Real numbers at both ends, inverted bottlenecks with a residual, global pooling, softmax."""
    n = Network(1)
    camera = n.tensor((1, 20, 24, 3), "float32", None, 0)
    x = n.op("QUANTIZE", [camera], n.tensor((1, 20, 24, 3)))
    x = n.conv(x, 8, kernel=3, stride=2, activation="RELU6")
    for stride in (1, 2):
        wide = n.dw(n.conv(x, 24, activation="RELU6"), stride=stride, activation="RELU6")
        narrow = n.conv(wide, 8)
        x = n.add(x, narrow) if stride == 1 else narrow
    logits = n.fc(n.mean(x), 5)
    y = n.op("DEQUANTIZE", [n.softmax(logits)], n.tensor((1, 5), "float32", None, 0))
    return n.model([camera], [y])


def pixels_in_and_out() -> bytes:
    """uint8 at both ends, as converters make it for cameras."""
    n = Network(2)
    camera = n.tensor((1, 9, 7, 2), "uint8", SCALE, 128 + ZERO)
    x = n.op("QUANTIZE", [camera], n.tensor((1, 9, 7, 2)))
    x = n.conv(x, 6, kernel=3, padding="VALID", activation="RELU")
    x = n.pool(x, "MAX_POOL_2D", 2)
    y = n.op("QUANTIZE", [n.fc(n.flatten(x), 4)], n.tensor((1, 4), "uint8", SCALE, 128 + ZERO))
    return n.model([camera], [y])


def padded() -> bytes:
    """An explicit PAD before each convolution, as MIT's MCUNet files have it."""
    n = Network(3)
    image = n.tensor((1, 8, 8, 3))
    x = n.conv(n.pad(image, 0, 1, 0, 1), 8, kernel=3, stride=2, padding="VALID")
    x = n.conv(n.pad(x, 0, 0, 0, 0), 16)
    x = n.conv(n.pad(x, 2, 2, 2, 2), 4, kernel=5, padding="VALID")
    return n.model([image], [n.mean(x, keep_dims=True)])


def keyword() -> bytes:
    """A depth multiplier, operators of activation that are not fused, average pooling."""
    n = Network(4)
    sound = n.tensor((1, 25, 10, 1))
    x = n.dw(sound, kernel=5, stride=2, multiplier=6)
    x = n.op("RELU", [x], n.tensor(n.shape(x), scale=0.04, zero=-128))
    x = n.conv(x, 12)
    x = n.op("RELU6", [x], n.tensor(n.shape(x)))
    x = n.pool(x, "AVERAGE_POOL_2D", 5)
    return n.model([sound], [n.softmax(n.fc(n.flatten(x), 12))])


def two_by_two() -> bytes:
    """Two inputs, two outputs, one of which is also used inside; an addition that broadcasts."""
    n = Network(5)
    a, b = n.tensor((1, 6, 6, 4)), n.tensor((1, 1, 1, 4), scale=0.02)
    total = n.op("ADD", [a, b], n.tensor((1, 6, 6, 4)), fused_activation_function="RELU")
    return n.model([a, b], [n.conv(total, 3, kernel=3), total])


def few_values() -> bytes:
    """Loops of one or two turns, which some compilers think too hard about: many tiny operators side by side."""
    n = Network(6)
    inputs, outputs = [], []
    for rows, depth, channels in itertools.product((2, 5, 20), (2, 8), (1, 4)):
        inputs.append(n.tensor((rows, depth)))
        weights = n._weights((channels, depth), 0, per_channel=False)
        outputs.append(n.op("FULLY_CONNECTED", [inputs[-1], *weights], n.tensor((rows, channels))))
    for axis, left in ((2, (2, 6)), (1, (2, 2)), (0, (6, 2))):
        inputs.append(n.tensor((2, 6, 2)))
        outputs.append(n.op("MEAN", [inputs[-1], n.constant([axis])], n.tensor(left, scale=0.03)))
    return n.model(inputs, outputs)


def wide_windows() -> bytes:
    """What patches of an image get wrong: windows of 5 and 7 on odd sizes, residuals over all of them, strides."""
    n = Network(7)
    image = n.tensor((1, 27, 19, 3))
    x = n.conv(image, 6, kernel=3, stride=2, activation="RELU6")
    for kernel, stride in ((7, 1), (5, 2), (5, 1), (7, 2)):
        wide = n.dw(n.conv(x, 18, activation="RELU6"), kernel, stride, activation="RELU6")
        narrow = n.conv(wide, 6)
        x = n.add(x, narrow) if stride == 1 else narrow
    return n.model([image], [n.softmax(n.fc(n.mean(x), 10))])


def two_heads() -> bytes:
    """A detector in small: a pyramid with resized, joined and gated maps, one output for each size."""
    n = Network(8)
    image = n.tensor((1, 21, 25, 3))
    fine = n.conv(n.dw(n.conv(image, 12, kernel=3, stride=2, activation="RELU6")), 8, activation="RELU6")
    coarse = n.gate(n.conv(n.dw(n.conv(fine, 24, activation="RELU6"), 5, stride=2), 12))
    joined = n.concat(n.resize(coarse, *n.shape(fine)[1:3]), fine)
    return n.model([image], [n.conv(joined, 5), n.conv(n.dw(coarse), 5)])


NETWORKS: dict[str, Callable[[], bytes]] = {
    make.__name__: make
    for make in (mobile, pixels_in_and_out, padded, keyword, two_by_two, few_values, wide_windows, two_heads)
}
