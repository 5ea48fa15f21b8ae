"""Hypothesis strategies for single-operator int8 models: one short function per operator.

Everything TFLM accepts is drawn, and nothing that it refuses, so that each `Case` has a golden
output. The odd limits below are TFLM's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from . import cases
from .cases import BIASES, FILLS, Case, Layer, Operand, Pair, Quant, Shape, Source, Window
from .edge_ops import edge_cases

__all__ = ["OPERATOR_STRATEGIES", "Case", "edge_cases"]

ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU_N1_TO_1", "RELU6")
_LARGEST_IMAGE = 12
_SEEDS = st.integers(0, 2**32 - 1)

# --- shared draws ---------------------------------------------------------------------------------


def powers(low: float, high: float) -> SearchStrategy[float]:
    """Draw a positive number whose logarithm (base 2) is spread evenly; often a power of two."""
    exact = st.integers(math.ceil(low), math.floor(high)).map(float)
    return st.one_of(st.floats(low, high), exact).map(lambda exponent: 2.0**exponent)


def zero_points(low: int = -128) -> SearchStrategy[int]:
    """Draw a zero point of an 8-bit type, often from the ends."""
    return st.one_of(st.sampled_from([low + 128, low, low + 255]), st.integers(low, low + 255))


_SCALES = powers(-12, 3)


def quants(scales: SearchStrategy[float] = _SCALES, low: int = -128) -> SearchStrategy[Quant]:
    """Draw a per-tensor quantisation."""
    return st.builds(Quant, scales, zero_points(low))


def rescaled(x: Quant, low: float, high: float) -> SearchStrategy[Quant]:
    """Draw an output quantisation such that input scale / output scale is 2^low ... 2^high."""
    return quants(powers(low, high).map(lambda factor: x.scale / factor))


def sources() -> SearchStrategy[Source]:
    """Draw where the data come from; mostly uniform."""
    fills = st.sampled_from((FILLS[0],) * 12 + FILLS)
    return st.builds(Source, _SEEDS, fills)


def shapes(least: int, most: int, largest: int = 6) -> SearchStrategy[Shape]:
    """Draw a shape of so many dimensions."""
    return st.lists(st.integers(1, largest), min_size=least, max_size=most).map(tuple)


def pairs(high: int) -> SearchStrategy[Pair]:
    """Draw a (height, width)."""
    return st.tuples(st.integers(1, high), st.integers(1, high))


def windows(dilation: int = 1) -> SearchStrategy[Window]:
    """Draw how to slide."""
    paddings = st.sampled_from(["SAME", "VALID"])
    return st.builds(Window, pairs(5), pairs(3), pairs(dilation), paddings)


@st.composite
def images(draw: DrawFn, window: Window) -> Shape:
    """Draw the (height, width, channels) of an image that the window fits on."""
    least = window.extent() if window.padding == "VALID" else (1, 1)
    sizes = [draw(st.integers(low, max(low, _LARGEST_IMAGE))) for low in least]
    return (*sizes, draw(st.integers(1, 9)))


@dataclass(frozen=True)
class Regime:
    """Which multipliers (as exponents of 2), biases and weights go together."""

    exponents: tuple[float, float]
    biases: Sequence[str]
    weights: SearchStrategy[Source]


def _regimes(taps: int) -> list[Regime]:
    """List the regimes for a layer that sums `taps` products; most leave most outputs unclamped."""
    # Uniform data have a standard deviation of 74, so these spread the outputs over the range.
    fitting = -7 - math.log2(taps) / 2
    mild, coarse = (fitting - 2, fitting + 2), (fitting + 4, fitting + 7)
    return [
        Regime(mild, ("none", "small"), sources()),
        # Small shifts are where different ways of rounding differ most.
        Regime(coarse, ("none", "small"), st.builds(Source, _SEEDS, st.just("small"))),
        Regime((-20, 3), BIASES, sources()),
        Regime((-31, -21), ("large", "limit"), sources()),
    ]


@st.composite
def layers(draw: DrawFn, channels: int, taps: int) -> Layer:
    """Draw the arithmetic of a layer that sums `taps` products for each output."""
    regime = draw(st.sampled_from(_regimes(taps)))
    count = draw(st.sampled_from([1, channels]))
    return Layer(
        x=draw(quants()),
        y=draw(quants()),
        effective=tuple(draw(powers(*regime.exponents)) for _ in range(count)),
        bias=draw(st.sampled_from(regime.biases)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        weights=draw(regime.weights),
        inputs=draw(sources()),
    )


# --- operators ------------------------------------------------------------------------------------


@st.composite
def conv_2d(draw: DrawFn) -> Case:
    """Draw a CONV_2D."""
    window = draw(windows(dilation=3))
    channels = draw(st.integers(1, 9))
    image = draw(images(window))
    layer = draw(layers(channels, taps=math.prod(window.kernel) * image[2]))
    return cases.conv_2d(image, channels, window, layer)


@st.composite
def depthwise_conv_2d(draw: DrawFn) -> Case:
    """Draw a DEPTHWISE_CONV_2D."""
    window = draw(windows(dilation=3))
    image = draw(images(window))
    multiplier = draw(st.integers(1, 3))
    layer = draw(layers(image[2] * multiplier, taps=math.prod(window.kernel)))
    return cases.depthwise_conv_2d(image, multiplier, window, layer)


@st.composite
def fully_connected(draw: DrawFn) -> Case:
    """Draw a FULLY_CONNECTED; without `keep_num_dims` it may flatten trailing dimensions."""
    shape = draw(st.one_of(shapes(2, 2, largest=40), shapes(3, 4)))
    keep = draw(st.booleans())
    depth = shape[-1] if keep else math.prod(shape[draw(st.integers(1, len(shape) - 1)) :])
    channels = draw(st.integers(1, 9))
    layer = draw(layers(channels, taps=depth))
    return cases.fully_connected(shape, depth, channels, layer, keep_num_dims=keep)


@st.composite
def add(draw: DrawFn) -> Case:
    """Draw an ADD; its output scale must exceed the larger input scale / 2^19."""
    shape = draw(shapes(1, 4))
    constant = draw(st.sampled_from([(False, False), (False, True), (True, False)]))
    a, b = (Operand(draw(_broadcastable(shape)), draw(quants()), fixed) for fixed in constant)
    larger = max(a.quant, b.quant, key=lambda quant: quant.scale)
    y = draw(rescaled(larger, -12, 18))
    return cases.add(a, b, y, draw(st.sampled_from(ACTIVATIONS)), draw(sources()))


@st.composite
def mul(draw: DrawFn) -> Case:
    """Draw a MUL; its products times the factor must fit 32 bits, and so must 6 / output scale."""
    shape = draw(shapes(1, 4))
    constant = draw(st.sampled_from([(False, False), (False, True), (True, False)]))
    a, b = (Operand(draw(_broadcastable(shape)), draw(quants()), fixed) for fixed in constant)
    factor = draw(st.one_of(powers(-11, -4), powers(-31, 13)))  # the first leave most outputs unclamped
    y = Quant(max(a.quant.scale * b.quant.scale / factor, 2.0**-28), draw(zero_points()))
    return cases.mul(a, b, y, draw(st.sampled_from(ACTIVATIONS)), draw(sources()))


@st.composite
def _broadcastable(draw: DrawFn, shape: Shape) -> Shape:
    """Leave a shape as it is, or shrink some dimensions to 1 and drop leading ones."""
    if draw(st.booleans()):
        return shape
    thinned = tuple(draw(st.sampled_from([1, size])) for size in shape)
    return thinned[draw(st.integers(0, len(shape) - 1)) :]


@st.composite
def pad(draw: DrawFn) -> Case:
    """Draw a PAD, around any axis."""
    shape = draw(shapes(1, 4))
    sizes = st.integers(0, 3)
    paddings = [draw(st.tuples(sizes, sizes)) for _ in shape]
    return cases.pad(shape, paddings, draw(quants()), draw(sources()))


@st.composite
def pool_2d(draw: DrawFn, kind: str) -> Case:
    """Draw a pool."""
    window = draw(windows())
    activation = draw(st.sampled_from(ACTIVATIONS))
    image = draw(images(window))
    return cases.pool_2d(kind, image, window, draw(quants()), activation, draw(sources()))


@st.composite
def mean(draw: DrawFn) -> Case:
    """Draw a MEAN, mostly the global average pool."""
    shape = (1, *draw(shapes(1, 3, largest=9)))
    free = st.lists(st.integers(1, len(shape) - 1), min_size=1, unique=True)
    pooling = st.sampled_from([[1, 2], [2, 1]])
    axes = draw(st.one_of(free, pooling) if len(shape) == 4 else free)
    signed = [axis - draw(st.sampled_from([0, len(shape)])) for axis in axes]
    x = draw(quants())
    return cases.mean(shape, signed, draw(st.booleans()), x, draw(rescaled(x, -10, 3)), draw(sources()))


@st.composite
def concatenation(draw: DrawFn) -> Case:
    """Draw a CONCATENATION of up to TFLM's 10 inputs, not all of them constant."""
    shape, quant = draw(shapes(1, 4, largest=5)), draw(quants())
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    count = draw(st.one_of(st.integers(1, 4), st.integers(5, 9)))
    parts = [Operand(_resized(shape, axis, draw(st.integers(1, 5))), quant, _one_in(draw, 4)) for _ in range(count)]
    parts[0] = Operand(parts[0].shape, quant)
    twice = draw(st.one_of(st.none(), st.integers(0, count - 1)))
    return cases.concatenation(parts, axis, draw(sources()), twice=twice)


def _resized(shape: Shape, axis: int, size: int) -> Shape:
    sizes = list(shape)
    sizes[axis] = size
    return tuple(sizes)


def _one_in(draw: DrawFn, chances: int) -> bool:
    return draw(st.integers(1, chances)) == 1


@st.composite
def strided_slice(draw: DrawFn) -> Case:
    """Draw a STRIDED_SLICE of any part that is not empty."""
    shape = draw(shapes(1, 4))
    parts = [draw(_part_of(size)) for size in shape]
    return cases.strided_slice(shape, parts, draw(quants()), draw(sources()))


@st.composite
def _part_of(draw: DrawFn, size: int) -> slice | int:
    start, stop = sorted((draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))))
    step, negative = draw(st.integers(1, 3)), draw(st.booleans())
    ways = [
        slice(None, None, draw(st.sampled_from([1, step, -step]))),
        slice(start - size * negative, stop + 1, step),
        slice(start, None, step),
        slice(stop, None, -step),
        start - size * negative,
    ]
    return draw(st.sampled_from(ways))


@st.composite
def resize_nearest_neighbor(draw: DrawFn) -> Case:
    """Draw a RESIZE_NEAREST_NEIGHBOR, up or down."""
    size = st.one_of(st.integers(1, 12), st.integers(1, 40))
    shape = (draw(st.integers(1, 2)), draw(size), draw(size), draw(st.integers(1, 3)))
    doubled = st.just((2 * shape[1], 2 * shape[2]))
    wanted = draw(st.one_of(doubled, st.tuples(size, size)))
    flags = {"align_corners": draw(st.booleans()), "half_pixels": draw(st.booleans())}
    return cases.resize_nearest_neighbor(shape, wanted, draw(quants()), draw(sources()), **flags)


@st.composite
def reshape(draw: DrawFn) -> Case:
    """Draw a RESHAPE: factors of the shape change places, and neighbours merge."""
    shape = draw(shapes(1, 4))
    output = _merged(draw(st.permutations(shape)), draw(st.integers(0, 7)))
    hole = draw(st.integers(0, len(output) - 1))
    holed = (*output[:hole], -1, *output[hole + 1 :])
    asked = draw(st.sampled_from([None, output, holed]))
    return cases.reshape(shape, output, draw(quants()), draw(sources()), asked=asked)


def _merged(sizes: Sequence[int], cuts: int) -> Shape:
    """Multiply neighbours, except where a bit of `cuts` keeps them apart."""
    merged = list(sizes[:1])
    for i, size in enumerate(sizes[1:]):
        if cuts >> i & 1:
            merged.append(size)
        else:
            merged[-1] *= size
    return tuple(merged)


@st.composite
def softmax(draw: DrawFn) -> Case:
    """Draw a SOFTMAX; scale * beta must exceed 2^-26."""
    shape = (*draw(shapes(1, 3, largest=4)), draw(st.integers(1, 40)))
    beta = draw(st.one_of(st.just(1.0), powers(-3, 3)))
    return cases.softmax(shape, draw(quants(powers(-22, 6))), beta, draw(sources()))


def logistic() -> SearchStrategy[Case]:
    """Draw a LOGISTIC; its scale must be 2^-28 and more, or TFLM's shift is negative."""
    scales = st.one_of(powers(-8, 0), powers(-28, 34))
    return st.builds(cases.logistic, shapes(1, 4), quants(scales), sources())


def quantize() -> SearchStrategy[Case]:
    """Draw a QUANTIZE from real numbers, or between 8-bit types (TFLM: not uint8 to itself)."""
    ways = [("int8", "int8"), ("uint8", "int8"), ("int8", "uint8")]
    real = st.builds(cases.quantize, shapes(1, 4), quants(), sources())
    return st.one_of(real, *(_requantize(way) for way in ways))


@st.composite
def _requantize(draw: DrawFn, dtypes: tuple[str, str]) -> Case:
    lows = [0 if dtype == "uint8" else -128 for dtype in dtypes]
    x = draw(quants(low=lows[0]))
    factor = draw(st.one_of(st.just(1.0), powers(-20, 10)))
    y = Quant(x.scale / factor, draw(zero_points(lows[1])))
    return cases.requantize(draw(shapes(1, 4)), dtypes, x, y, draw(sources()))


@st.composite
def dequantize(draw: DrawFn) -> Case:
    """Draw a DEQUANTIZE."""
    dtype, low = draw(st.sampled_from([("int8", -128), ("uint8", 0)]))
    return cases.dequantize(draw(shapes(1, 4)), dtype, draw(quants(low=low)), draw(sources()))


@st.composite
def relu(draw: DrawFn) -> Case:
    """Draw a RELU, which rescales."""
    x = draw(quants())
    return cases.relu(draw(shapes(1, 4)), x, draw(rescaled(x, -20, 10)), draw(sources()))


def relu6() -> SearchStrategy[Case]:
    """Draw a RELU6, which does not rescale."""
    useful = quants(powers(-7, 0))
    return st.builds(cases.relu6, shapes(1, 4), st.one_of(useful, quants()), sources())


OPERATOR_STRATEGIES: dict[str, SearchStrategy[Case]] = {
    "CONV_2D": conv_2d(),
    "DEPTHWISE_CONV_2D": depthwise_conv_2d(),
    "FULLY_CONNECTED": fully_connected(),
    "ADD": add(),
    "PAD": pad(),
    "AVERAGE_POOL_2D": pool_2d("AVERAGE_POOL_2D"),
    "MAX_POOL_2D": pool_2d("MAX_POOL_2D"),
    "MEAN": mean(),
    "RESHAPE": reshape(),
    "SOFTMAX": softmax(),
    "QUANTIZE": quantize(),
    "DEQUANTIZE": dequantize(),
    "RELU": relu(),
    "RELU6": relu6(),
    "MUL": mul(),
    "CONCATENATION": concatenation(),
    "RESIZE_NEAREST_NEIGHBOR": resize_nearest_neighbor(),
    "LOGISTIC": logistic(),
    "STRIDED_SLICE": strided_slice(),
}
