"""Single-operator int8 models with inputs: one builder per operator, nothing random but the data.

Shapes and quantisation are the caller's choice (`random_ops` draws them, `edge_ops` picks them);
weights, biases and inputs come from a `Source`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .tflite_writer import OptionValue, TensorSpec, single_op_spec, write_model

Array = npt.NDArray[Any]
Shape = tuple[int, ...]
Pair = tuple[int, int]

_INT32_MAX = 2**31 - 1
# The kernels add a zero point to the rescaled accumulator, which must not overflow either.
_ZERO_POINT_MARGIN = 512
# 255 is what an input can differ from its zero point; one more lets kernels fold that into the bias.
_LARGEST_INPUT = 256
# Rounding to float32 (as some versions do) or to 31 bits may carry into a multiplier's exponent.
_NUDGE = 1 + 2.0**-22


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """A model of one operator, and inputs for it."""

    kind: str
    model: bytes
    inputs: tuple[Array, ...]
    label: str = ""

    def __repr__(self) -> str:
        """Stay readable where pytest prints a failing example."""
        return f"<{self.kind} {self.label}>"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Stay readable where hypothesis does."""
        printer.text(repr(self))


@dataclass(frozen=True)
class Quant:
    """Per-tensor quantisation; the scale is what float32 makes of it."""

    scale: float
    zero_point: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", float(np.float32(self.scale)))


@dataclass(frozen=True)
class Source:
    """Where the numbers come from: a seed, and one of `FILLS`."""

    seed: int = 0
    fill: str = "uniform"

    def integers(self, shape: Shape, dtype: str = "int8", salt: int = 0) -> Array:
        """Draw numbers; another salt gives other numbers."""
        rng = np.random.default_rng((self.seed, salt))
        info = np.iinfo(dtype)
        if self.fill == "uniform":
            return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
        if self.fill == "small":
            return rng.integers(max(-3, info.min), 4, shape, dtype=dtype)
        choices = {"low": [info.min], "high": [info.max], "extremes": [info.min, info.max]}
        return rng.choice(np.array(choices[self.fill], dtype), shape)


FILLS = ("uniform", "extremes", "low", "high")  # and "small", for weights


@dataclass(frozen=True)
class Window:
    """How a convolution or a pool slides over the image; pairs are (height, width)."""

    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: str = "SAME"

    def extent(self) -> Pair:
        """Tell how many rows and columns lie between the first and the last tap, inclusive."""
        rows, columns = ((self.kernel[i] - 1) * self.dilation[i] + 1 for i in (0, 1))
        return rows, columns

    def output(self, image: Shape, channels: int) -> Shape:
        """Shape the output for an image (height, width, ...)."""
        used = (1, 1) if self.padding == "SAME" else self.extent()
        height, width = (-(-(image[i] - used[i] + 1) // self.stride[i]) for i in (0, 1))
        return 1, height, width, channels

    def options(self) -> dict[str, OptionValue]:
        """Spell what every sliding operator has; dilation is a convolution's own."""
        return {"stride_h": self.stride[0], "stride_w": self.stride[1], "padding": self.padding}

    def dilation_options(self) -> dict[str, OptionValue]:
        """Spell the dilation."""
        return {"dilation_h_factor": self.dilation[0], "dilation_w_factor": self.dilation[1]}


@dataclass(frozen=True)
class Layer:
    """The arithmetic of a layer with weights.

    `effective` holds input scale * weight scale / output scale, once or for each channel; the
    weight scales follow from it. `bias` is one of `BIASES`, or the values, taken in turn.
    """

    x: Quant
    y: Quant
    effective: tuple[float, ...]
    bias: str | tuple[int, ...] = "small"
    activation: str = "NONE"
    weights: Source = Source()
    inputs: Source = Source()

    def weight_scales(self) -> tuple[float, ...]:
        """Choose the float32 weight scales nearest to what is asked for."""
        ratio = self.y.scale / self.x.scale
        return tuple(float(np.float32(effective * ratio)) for effective in self.effective)


BIASES = ("none", "small", "large", "limit")


# --- layers with weights --------------------------------------------------------------------------


def conv_2d(image: Shape, channels: int, window: Window, layer: Layer) -> Case:
    """Convolve an image (height, width, channels)."""
    parameters = _parameters(layer, (channels, *window.kernel, image[2]), axis=0)
    options = {**window.options(), **window.dilation_options()}
    return _layer("CONV_2D", (1, *image), window.output(image, channels), parameters, options)


def depthwise_conv_2d(image: Shape, multiplier: int, window: Window, layer: Layer) -> Case:
    """Convolve each channel of an image by itself, with `multiplier` outputs for each."""
    channels = image[2] * multiplier
    parameters = _parameters(layer, (1, *window.kernel, channels), axis=3)
    options = {**window.options(), **window.dilation_options(), "depth_multiplier": multiplier}
    return _layer("DEPTHWISE_CONV_2D", (1, *image), window.output(image, channels), parameters, options)


def fully_connected(shape: Shape, depth: int, channels: int, layer: Layer, *, keep_num_dims: bool = False) -> Case:
    """Multiply by a matrix; the input is read as rows of `depth` numbers."""
    rows = (math.prod(shape) // depth,)
    output = (*(shape[:-1] if keep_num_dims else rows), channels)
    parameters = _parameters(layer, (channels, depth), axis=0)
    options: dict[str, OptionValue] = {"keep_num_dims": keep_num_dims}
    return _layer("FULLY_CONNECTED", shape, output, parameters, options)


@dataclass(frozen=True)
class _Parameters:
    layer: Layer
    weights: TensorSpec
    bias: TensorSpec | None


def _parameters(layer: Layer, shape: Shape, axis: int) -> _Parameters:
    data = layer.weights.integers(shape, salt=1)
    scales = layer.weight_scales()
    weights = TensorSpec(shape, "int8", scales, axis=axis, data=data, name="weights")
    if layer.bias == "none":
        return _Parameters(layer, weights, None)
    by_channel = np.moveaxis(data, axis, 0).reshape(shape[axis], -1)
    values = _bias(layer, np.abs(by_channel.astype(np.int64)).sum(axis=1))
    products = tuple(layer.x.scale * scale for scale in scales)
    bias = TensorSpec(values.shape, "int32", products, data=values, name="bias")
    return _Parameters(layer, weights, bias)


def _bias(layer: Layer, weight_sums: Array) -> Array:
    """Draw biases that overflow neither the accumulator nor its left shift."""
    if not isinstance(layer.bias, str):
        return np.resize(np.array(layer.bias, np.int32), weight_sums.shape)
    ratio = layer.x.scale / layer.y.scale
    shifts = [max(math.frexp(scale * ratio * _NUDGE)[1], 0) for scale in layer.weight_scales()]
    room = ((_INT32_MAX - _ZERO_POINT_MARGIN) >> np.array(shifts)) - _LARGEST_INPUT * weight_sums
    rng = np.random.default_rng((layer.weights.seed, 2))
    small = np.minimum(8 * weight_sums, room)
    low, high = {"small": (0, small), "large": (room // 2, room), "limit": (room, room)}[layer.bias]
    values: Array = rng.integers(low, high, endpoint=True) * rng.choice([-1, 1], room.shape)
    return values.astype(np.int32)


def _layer(kind: str, shape: Shape, output: Shape, parameters: _Parameters, options: dict[str, OptionValue]) -> Case:
    layer = parameters.layer
    inputs = [int8(shape, layer.x), parameters.weights]
    if parameters.bias is not None:
        inputs.append(parameters.bias)
    options["fused_activation_function"] = layer.activation
    return _case(kind, inputs, int8(output, layer.y), options, layer.inputs)


# --- element by element ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Operand:
    """One side of an addition or a product, or a part of a concatenation."""

    shape: Shape
    quant: Quant
    constant: bool = False


def add(a: Operand, b: Operand, y: Quant, activation: str, source: Source) -> Case:
    """Add two tensors, either of which may be broadcast or constant."""
    return _broadcast("ADD", a, b, y, activation, source)


def mul(a: Operand, b: Operand, y: Quant, activation: str, source: Source) -> Case:
    """Multiply two tensors, either of which may be broadcast or constant."""
    return _broadcast("MUL", a, b, y, activation, source)


def _broadcast(kind: str, a: Operand, b: Operand, y: Quant, activation: str, source: Source) -> Case:
    output = int8(np.broadcast_shapes(a.shape, b.shape), y)
    return _case(kind, _operands((a, b), source), output, {"fused_activation_function": activation}, source)


def _operands(operands: Sequence[Operand], source: Source) -> list[TensorSpec]:
    constants = [source.integers(side.shape, salt=9 + i) if side.constant else None for i, side in enumerate(operands)]
    return [int8(side.shape, side.quant, data) for side, data in zip(operands, constants, strict=True)]


def relu(shape: Shape, x: Quant, y: Quant, source: Source) -> Case:
    """Clamp below at zero, and rescale."""
    return _case("RELU", [int8(shape, x)], int8(shape, y), {}, source)


def relu6(shape: Shape, quant: Quant, source: Source) -> Case:
    """Clamp to 0 ... 6; TFLM does not rescale here, so input and output are quantised alike."""
    return _case("RELU6", [int8(shape, quant)], int8(shape, quant), {}, source)


def logistic(shape: Shape, x: Quant, source: Source, scale: float = 1 / 256) -> Case:
    """Take the logistic function; TFLM asks for the zero point of its output and ignores the scale."""
    return _case("LOGISTIC", [int8(shape, x)], int8(shape, Quant(scale, -128)), {}, source)


def softmax(shape: Shape, x: Quant, beta: float, source: Source) -> Case:
    """Take the softmax of the last axis; TFLM accepts one output quantisation only."""
    y = Quant(1 / 256, -128)
    return _case("SOFTMAX", [int8(shape, x)], int8(shape, y), {"beta": beta}, source)


def quantize(shape: Shape, y: Quant, source: Source) -> Case:
    """Quantise real numbers, every second of which lies half-way between two steps."""
    x = TensorSpec(shape, "float32")
    halves = source.integers(shape, "int16").astype(np.float32) % 1024 - 512
    noise = np.random.default_rng(source.seed).uniform(0, 0.5, shape)
    values = (halves / 2 + noise * (halves % 2 == 0)) * y.scale
    inputs = (values.astype(np.float32),)
    return _case("QUANTIZE", [x], int8(shape, y), {}, source, inputs)


def requantize(shape: Shape, dtypes: tuple[str, str], x: Quant, y: Quant, source: Source) -> Case:
    """Go from one 8-bit quantisation to another."""
    tensors = [
        TensorSpec(shape, dtype, quant.scale, quant.zero_point) for dtype, quant in zip(dtypes, (x, y), strict=True)
    ]
    return _case("QUANTIZE", tensors[:1], tensors[1], {}, source)


def dequantize(shape: Shape, dtype: str, x: Quant, source: Source) -> Case:
    """Go from 8 bits to real numbers."""
    tensor = TensorSpec(shape, dtype, x.scale, x.zero_point)
    return _case("DEQUANTIZE", [tensor], TensorSpec(shape, "float32"), {}, source)


# --- shapes and windows ---------------------------------------------------------------------------


def pad(shape: Shape, paddings: Sequence[Pair], quant: Quant, source: Source) -> Case:
    """Surround with the zero point; `paddings` holds (before, after) for each axis."""
    output = tuple(size + sum(around) for size, around in zip(shape, paddings, strict=True))
    inputs = [int8(shape, quant), constant(np.array(paddings, np.int32))]
    return _case("PAD", inputs, int8(output, quant), {}, source)


def pool_2d(kind: str, image: Shape, window: Window, quant: Quant, activation: str, source: Source) -> Case:
    """Average or maximum over a window; TFLM wants input and output quantised alike."""
    output = window.output(image, image[2])
    options: dict[str, OptionValue] = {
        **window.options(),
        "filter_height": window.kernel[0],
        "filter_width": window.kernel[1],
        "fused_activation_function": activation,
    }
    return _case(kind, [int8((1, *image), quant)], int8(output, quant), options, source)


def mean(shape: Shape, axes: int | Sequence[int], keep_dims: bool, x: Quant, y: Quant, source: Source) -> Case:
    """Average over axes; a single axis may be given as a scalar tensor."""
    reduced = {axis % len(shape) for axis in np.atleast_1d(axes)}
    kept = [1 if i in reduced else size for i, size in enumerate(shape)]
    output = kept if keep_dims else [size for i, size in enumerate(shape) if i not in reduced]
    inputs = [int8(shape, x), constant(np.array(axes, np.int32))]
    return _case("MEAN", inputs, int8(tuple(output), y), {"keep_dims": keep_dims}, source)


def concatenation(parts: Sequence[Operand], axis: int, source: Source, *, twice: int | None = None) -> Case:
    """Put tensors one after the other; part `twice` comes once more at the end. TFLM wants them quantised alike."""
    inputs = _operands(parts, source)
    order = [*range(len(parts)), *([] if twice is None else [twice])]
    output = list(parts[0].shape)
    output[axis] = sum(parts[i].shape[axis] for i in order)
    result = int8(tuple(output), parts[0].quant)
    return _case("CONCATENATION", inputs, result, {"axis": axis}, source, order=order)


def resize_nearest_neighbor(
    shape: Shape, size: Pair, quant: Quant, source: Source, *, align_corners: bool = False, half_pixels: bool = False
) -> Case:
    """Repeat or leave out rows and columns of images [batch, height, width, channels]."""
    inputs = [int8(shape, quant), constant(np.array(size, np.int32))]
    options: dict[str, OptionValue] = {"align_corners": align_corners, "half_pixel_centers": half_pixels}
    return _case("RESIZE_NEAREST_NEIGHBOR", inputs, int8((shape[0], *size, shape[3]), quant), options, source)


def strided_slice(shape: Shape, parts: Sequence[slice | int], quant: Quant, source: Source) -> Case:
    """Take a part of each axis; an index takes one and drops the axis. TFLM wants every axis named."""
    output = np.empty(shape, np.int8)[tuple(parts)].shape
    bounds = [(part, part + 1, 1) if isinstance(part, int) else (part.start, part.stop, part.step) for part in parts]
    tables = [constant(np.array([n or 0 for n in column], np.int32)) for column in zip(*bounds, strict=True)]
    options: dict[str, OptionValue] = {
        "begin_mask": sum(1 << i for i, (start, _, _) in enumerate(bounds) if start is None),
        "end_mask": sum(1 << i for i, (_, stop, _) in enumerate(bounds) if stop is None),
        "shrink_axis_mask": sum(1 << i for i, part in enumerate(parts) if isinstance(part, int)),
    }
    return _case("STRIDED_SLICE", [int8(shape, quant), *tables], int8(output, quant), options, source)


def reshape(shape: Shape, output: Shape, quant: Quant, source: Source, *, asked: Shape | None = None) -> Case:
    """Reshape; `asked` is the constant second input, such as an output shape with a -1 in it."""
    inputs = [int8(shape, quant)]
    if asked is not None:
        inputs.append(constant(np.array(asked, np.int32)))
    options: dict[str, OptionValue] = {"new_shape": output if asked is None else asked}
    return _case("RESHAPE", inputs, int8(output, quant), options, source)


# --- all of them ----------------------------------------------------------------------------------


def int8(shape: Shape, quant: Quant, data: Array | None = None) -> TensorSpec:
    """Describe an int8 tensor."""
    return TensorSpec(shape, "int8", quant.scale, quant.zero_point, data=data)


def constant(data: Array) -> TensorSpec:
    """Describe a constant that is not quantised."""
    return TensorSpec(data.shape, data.dtype.name, data=data)


def _case(
    kind: str,
    inputs: Sequence[TensorSpec],
    output: TensorSpec,
    options: Mapping[str, OptionValue],
    source: Source,
    arrays: tuple[Array, ...] | None = None,
    order: Sequence[int] | None = None,
) -> Case:
    spec = single_op_spec(kind, inputs, [output], options, order)
    fed = [spec.tensors[i] for i in spec.inputs]
    drawn = (source.integers(t.shape, t.dtype, salt=i) for i, t in enumerate(fed) if arrays is None)
    label = " ".join(map(_describe, (*inputs, output))) + f" {dict(options)} {source.fill}"
    return Case(kind, write_model(spec), tuple(drawn) if arrays is None else arrays, label)


def _describe(tensor: TensorSpec) -> str:
    size = "x".join(map(str, tensor.shape)) or "scalar"
    quant = "" if tensor.scale is None else f"*{tensor.scale}+{tensor.zero_point}"
    values = f"={tensor.data.tolist()}" if tensor.data is not None and tensor.scale is None else ""
    return f"{tensor.dtype}[{size}]{quant}{values}"
