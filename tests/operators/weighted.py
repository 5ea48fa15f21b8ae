"""Models of layers with weights for element types other than int8's own: int16 with int8 weights, uint8."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tests.tools.cases import Array, Case, Pair, Quant, Shape, Source, Window, _case
from tests.tools.tflite_writer import OptionValue, TensorSpec


@dataclass(frozen=True)
class Arithmetic:
    """What a layer computes with; `effective` is input scale * weight scale / output scale, once or by channel."""

    dtype: str
    x: Quant
    y: Quant
    effective: tuple[float, ...]
    weight_zero: int = 0
    bias: str | None = None  # its type
    largest: int = 0  # value of it
    activation: str = "NONE"
    weights: Source = field(default_factory=Source)
    inputs: Source = field(default_factory=Source)

    @property
    def weight_dtype(self) -> str:
        return "uint8" if self.dtype == "uint8" else "int8"

    def tensor(self, shape: Shape, quant: Quant) -> TensorSpec:
        return TensorSpec(shape, self.dtype, quant.scale, quant.zero_point)

    def scales(self) -> tuple[float, ...]:
        return tuple(float(np.float32(e * self.y.scale / self.x.scale)) for e in self.effective)

    def parameters(self, shape: Shape, axis: int) -> list[TensorSpec]:
        """Weights and bias."""
        scales, name = self.scales(), self.weight_dtype
        data = self._weights(shape)
        one = scales[0] if len(scales) == 1 else scales
        weights = TensorSpec(shape, name, one, self.weight_zero, axis=axis, data=data, name="weights")
        if self.bias is None:
            return [weights]
        values = np.random.default_rng((self.weights.seed, 2)).integers(-self.largest, self.largest + 1, shape[axis])
        products = tuple(float(np.float32(self.x.scale * scale)) for scale in scales)
        product = products[0] if len(products) == 1 else products
        return [weights, TensorSpec((shape[axis],), self.bias, product, data=values.astype(self.bias), name="bias")]

    def _weights(self, shape: Shape) -> Array:
        if self.weights.fill != "small":
            return self.weights.integers(shape, self.weight_dtype, salt=1)
        info = np.iinfo(self.weight_dtype)
        near = self.weights.integers(shape, "int8", salt=1).astype(np.int64) + self.weight_zero
        return np.clip(near, info.min, info.max).astype(self.weight_dtype)


def conv_2d(image: Shape, channels: int, window: Window, a: Arithmetic, *, batch: int = 1, groups: int = 1) -> Case:
    parameters = a.parameters((channels, *window.kernel, image[2] // groups), axis=0)
    options = {**window.options(), **window.dilation_options()}
    output = (batch, *window.output(image, channels)[1:])
    return _layer("CONV_2D", (batch, *image), output, parameters, options, a)


def depthwise_conv_2d(image: Shape, multiplier: int, window: Window, a: Arithmetic, *, batch: int = 1) -> Case:
    channels = image[2] * multiplier
    parameters = a.parameters((1, *window.kernel, channels), axis=3)
    options = {**window.options(), **window.dilation_options(), "depth_multiplier": multiplier}
    output = (batch, *window.output(image, channels)[1:])
    return _layer("DEPTHWISE_CONV_2D", (batch, *image), output, parameters, options, a)


def fully_connected(rows: int, depth: int, channels: int, a: Arithmetic) -> Case:
    parameters = a.parameters((channels, depth), axis=0)
    return _layer("FULLY_CONNECTED", (rows, depth), (rows, channels), parameters, {}, a)


def transpose_conv(
    image: Shape,
    channels: int,
    kernel: Pair,
    stride: Pair,
    padding: str,
    a: Arithmetic,
    *,
    fed: bool = False,
    batch: int = 1,
) -> Case:
    """The first input, the output's shape, is a constant or an input of the model that nothing reads."""
    size = [n * s if padding == "SAME" else (n - 1) * s + k for n, s, k in zip(image, stride, kernel, strict=False)]
    y = (batch, *size, channels)
    shape = np.array(y, np.int32)
    asked = TensorSpec((4,), "int32", data=None if fed else shape, name="shape")
    x = a.tensor((batch, *image), a.x)
    weights, *bias = a.parameters((channels, *kernel, image[2]), axis=0)
    options: dict[str, OptionValue] = {"stride_h": stride[0], "stride_w": stride[1], "padding": padding}
    options["fused_activation_function"] = a.activation
    data = a.inputs.integers(x.shape, a.dtype)
    arrays = (shape, data) if fed else (data,)
    return _case("TRANSPOSE_CONV", [asked, weights, x, *bias], a.tensor(y, a.y), options, a.inputs, arrays)


def _layer(
    kind: str,
    shape: Shape,
    output: Shape,
    parameters: list[TensorSpec],
    options: Mapping[str, OptionValue],
    a: Arithmetic,
) -> Case:
    chosen = {**options, "fused_activation_function": a.activation}
    return _case(kind, [a.tensor(shape, a.x), *parameters], a.tensor(output, a.y), chosen, a.inputs)


def fitting(taps: int) -> float:
    """The exponent of a factor that spreads the outputs of uniform data over their range."""
    return -7 - math.log2(taps) / 2
