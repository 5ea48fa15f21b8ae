"""Deterministic single-operator models at the edges of what each operator allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import cases
from .cases import Case, Layer, Operand, Quant, Source, Window

_UNIT = Quant(1.0)
_LOW, _HIGH = Quant(0.5, -128), Quant(0.25, 127)
_UNIFORM, _EXTREMES, _SMALL = Source(1), Source(2, "extremes"), Source(3, "small")

# 1 + 2^-23 times 1 - 2^-23 is so close to 1 that its 31-bit fraction rounds up to a power of two.
_ULP = 2.0**-23
_ROUNDS_UP = Layer(Quant(1 + _ULP), _UNIT, ((1 - _ULP) * (1 + _ULP),))

# The product of these two scales needs more than float32 holds. The biases are all that is left when
# the input is its zero point, and they lie where a multiplier made from the rounded product gives other
# outputs than one made from the exact product. (FULLY_CONNECTED rounds it in the TFLM sources of August
# 2026, but not in the package of October 2026.)
_FINE = Layer(Quant(1.1, 127), _UNIT, (1.3 * 2.0**-25,), inputs=Source(0, "high"))


def _telling_biases(layer: Layer) -> tuple[int, ...]:
    """Find accumulators that the two multipliers of `layer` round to different outputs."""
    (weight_scale,) = layer.weight_scales()
    exact = layer.x.scale * weight_scale
    middle = (exact + float(np.float32(exact))) / 2 / layer.y.scale
    return tuple(round((output + 0.5) / middle) for output in (54, -49, 41))


# What is asked of any layer with weights, whatever its shape.
_LAYERS = (
    Layer(_UNIT, _UNIT, (0.5,)),  # every second accumulator is a tie
    Layer(_LOW, _HIGH, (2.0**-6,), activation="RELU"),  # one value left after the clamp
    Layer(_HIGH, _LOW, (2.0**-9,), activation="RELU6"),
    Layer(_UNIT, Quant(0.01, -3), (2.0**-8,), activation="RELU_N1_TO_1"),
    Layer(_HIGH, _UNIT, (8.0,), bias="limit"),
    Layer(_HIGH, _UNIT, (1.0,), bias="limit"),
    Layer(_LOW, _UNIT, (2.0**-20,), bias="limit", weights=_EXTREMES, inputs=_EXTREMES),
    Layer(_UNIT, _UNIT, (2.0**-32,), bias="limit"),  # the smallest multiplier
    Layer(_UNIT, Quant(1.0, 5), (2.0**-33,), bias="limit"),  # flushed to zero
    Layer(_HIGH, _UNIT, (2.0**-7,), "none", weights=Source(0, "low"), inputs=Source(0, "low")),
    _ROUNDS_UP,
    replace(_FINE, bias=_telling_biases(_FINE)),
    # Small right shifts of small sums: ways of rounding differ most.
    Layer(_LOW, _UNIT, (0.07,), weights=_SMALL),
    Layer(_UNIT, Quant(1.0, 9), (0.15,), weights=_SMALL),
    Layer(_UNIT, _LOW, (2.0**-3,), weights=_SMALL),
)


def edge_cases(kind: str) -> list[Case]:
    """List the nasty models of one operator."""
    return EDGES[kind]()


# --- layers with weights --------------------------------------------------------------------------

# (image, window) pairs where borders, strides and dilations meet.
_WINDOWS = (
    ((1, 1, 3), Window((5, 5))),  # all but one tap outside
    ((1, 1, 1), Window((1, 1), (3, 3))),
    ((4, 7, 2), Window((2, 4), (2, 3))),  # odd padding: more below and right
    ((5, 6, 2), Window((1, 1), (2, 3))),  # strides over pixels it never reads
    ((5, 6, 2), Window((2, 2), (3, 3), padding="VALID")),
    ((5, 4, 3), Window((5, 4), padding="VALID")),  # one output
    ((3, 3, 2), Window((3, 3), dilation=(3, 3))),  # outer taps always outside
    ((7, 9, 1), Window((3, 2), (2, 1), (3, 2), "VALID")),
    ((9, 1, 4), Window((4, 1), (1, 2))),
)


def _conv_2d() -> list[Case]:
    plain = Layer(_LOW, _HIGH, (2.0**-7, 2.0**-8, 2.0**-9))
    shaped = [cases.conv_2d(image, 3, window, plain) for image, window in _WINDOWS]
    window = Window((3, 3), (2, 2))
    return shaped + [cases.conv_2d((9, 8, 3), 3, window, layer) for layer in _LAYERS]


def _depthwise_conv_2d() -> list[Case]:
    plain = Layer(_LOW, _HIGH, (2.0**-6,))
    shaped = [cases.depthwise_conv_2d(image, 2, window, plain) for image, window in _WINDOWS]
    window = Window((3, 3), (2, 2))
    return shaped + [cases.depthwise_conv_2d((9, 8, 3), 1, window, layer) for layer in _LAYERS]


def _fully_connected() -> list[Case]:
    layers = [cases.fully_connected((9, 12), 12, 7, layer) for layer in _LAYERS]
    plain = Layer(_LOW, _HIGH, (2.0**-8,))
    shaped = [
        cases.fully_connected((1, 1), 1, 1, plain),
        cases.fully_connected((1, 2, 3, 4), 24, 5, plain),  # flattens
        cases.fully_connected((1, 2, 3, 4), 4, 5, plain),  # six rows
        cases.fully_connected((1, 2, 3, 4), 4, 5, plain, keep_num_dims=True),
        cases.fully_connected((1, 300), 300, 2, plain),
    ]
    return layers + shaped


# --- the others -----------------------------------------------------------------------------------


def _add() -> list[Case]:
    a, tiny = Operand((1, 3, 4, 2), _LOW), Quant(2.0**-20, 7)
    return [
        cases.add(a, a, _HIGH, "NONE", _EXTREMES),
        cases.add(a, a, _HIGH, "RELU_N1_TO_1", _UNIFORM),
        cases.add(a, a, Quant(0.1, -128), "RELU6", _UNIFORM),
        cases.add(a, Operand((2,), _HIGH, constant=True), _UNIT, "RELU", _UNIFORM),
        cases.add(Operand((1, 3, 1, 1), _HIGH, constant=True), a, _UNIT, "NONE", _UNIFORM),
        cases.add(Operand((1, 3, 1, 2), _LOW), Operand((4, 1), _HIGH), _UNIT, "NONE", _UNIFORM),
        cases.add(Operand((), _HIGH, constant=True), a, _UNIT, "NONE", _UNIFORM),
        cases.add(a, Operand((1, 3, 4, 2), tiny), _UNIT, "NONE", _EXTREMES),
        cases.add(a, a, Quant(2.0**-19), "NONE", _UNIFORM),  # the largest multiplier but one
        cases.add(a, a, Quant(2.0**20, 3), "NONE", _UNIFORM),  # everything rounds to zero
    ]


def _pad() -> list[Case]:
    around = [(0, 0), (1, 2), (3, 0), (0, 0)]
    return [
        cases.pad((1, 2, 3, 2), [(0, 0)] * 4, _LOW, _UNIFORM),
        cases.pad((1, 2, 3, 2), around, _LOW, _UNIFORM),
        cases.pad((1, 2, 3, 2), around, _HIGH, _EXTREMES),
        cases.pad((1, 2, 3, 2), [(1, 0), (0, 1), (2, 2), (1, 3)], Quant(1.0, 5), _UNIFORM),
        cases.pad((3,), [(2, 1)], _HIGH, _UNIFORM),
    ]


_POOLS = (
    ((1, 1, 1), Window((5, 5), (3, 3))),
    ((7, 5, 3), Window((2, 3), (2, 3))),
    ((7, 5, 3), Window((1, 1), (3, 2), padding="VALID")),
    ((4, 6, 9), Window((4, 6), padding="VALID")),  # global
    ((3, 3, 2), Window((5, 4))),  # larger than the image
)


def _pool_2d(kind: str) -> list[Case]:
    signs = [_UNIFORM, Source(0, "low"), Source(0, "high"), _EXTREMES]
    square = ((4, 4, 3), Window((2, 2), (2, 2)))
    return [
        *(cases.pool_2d(kind, *place, _LOW, "NONE", _UNIFORM) for place in _POOLS),
        *(cases.pool_2d(kind, *square, _HIGH, "NONE", source) for source in signs),
        cases.pool_2d(kind, *square, _HIGH, "RELU", _UNIFORM),
        cases.pool_2d(kind, *square, Quant(0.1, -60), "RELU6", _UNIFORM),
        cases.pool_2d(kind, *square, Quant(0.1, 4), "RELU_N1_TO_1", _UNIFORM),
    ]


def _mean() -> list[Case]:
    shape = (1, 4, 4, 3)
    return [
        cases.mean(shape, [1, 2], False, _UNIT, _UNIT, _UNIFORM),  # a sixteenth: ties
        cases.mean(shape, [2, 1], True, _LOW, _HIGH, _UNIFORM),
        cases.mean(shape, [-1], True, _HIGH, _LOW, _EXTREMES),
        cases.mean(shape, 3, False, _LOW, _LOW, _UNIFORM),  # a scalar axis tensor
        cases.mean(shape, [1, -3], False, _UNIT, _UNIT, _UNIFORM),  # one axis named twice
        cases.mean(shape, [0, 1, 2, 3], False, _UNIT, _UNIT, _UNIFORM),  # a scalar output
        cases.mean((1, 1, 1, 5), [1, 2], True, _LOW, _HIGH, _UNIFORM),
        cases.mean((1, 12, 12, 2), [1, 2], False, Quant(8.0, -128), _UNIT, Source(0, "high")),
        cases.mean((1, 7, 7, 2), [1, 2], False, _UNIT, Quant(2.0**20, 3), _EXTREMES),
        cases.mean((1, 3, 3, 2), [1, 2], False, _UNIT, Quant(2.0**33, 3), _EXTREMES),
    ]


def _reshape() -> list[Case]:
    return [
        cases.reshape((1, 2, 3, 4), (1, 24), _LOW, _UNIFORM),
        cases.reshape((1, 2, 3, 4), (1, 24), _LOW, _UNIFORM, asked=(1, -1)),
        cases.reshape((1, 24), (1, 2, 1, 3, 4), _HIGH, _UNIFORM, asked=(1, 2, 1, 3, 4)),
        cases.reshape((1, 1), (), _UNIT, _UNIFORM, asked=()),
        cases.reshape((), (1, 1, 1), _UNIT, _UNIFORM, asked=(1, 1, 1)),
    ]


def _softmax() -> list[Case]:
    row = (1, 10)
    return [
        cases.softmax(row, Quant(0.1), 1.0, Source(0, "low")),  # all alike
        cases.softmax(row, Quant(0.1), 1.0, _EXTREMES),
        cases.softmax((1, 1), Quant(0.1), 1.0, _UNIFORM),
        cases.softmax((3, 10), Quant(2.0**-25), 1.0, _EXTREMES),  # nearly flat
        cases.softmax((3, 10), Quant(64.0), 2.0, _UNIFORM),  # one-hot, multiplier capped
        cases.softmax((1, 2, 3, 5), Quant(0.02, 40), 0.5, _UNIFORM),
        cases.softmax((7,), Quant(0.03), 1.0, _UNIFORM),
        cases.softmax((1, 511), Quant(0.1), 1.0, Source(0, "high")),  # TFLM dies of 512 alike
        cases.softmax((1, 1001), Quant(0.1), 1.0, _UNIFORM),
    ]


def _quantize() -> list[Case]:
    row = (2, 60)
    unsigned = Quant(0.5, 128), Quant(0.5, 3)
    return [
        cases.quantize(row, Quant(1.0, -128), _UNIFORM),
        cases.quantize(row, Quant(0.1, 127), _UNIFORM),
        cases.requantize(row, ("uint8", "int8"), unsigned[0], Quant(0.5, 0), _UNIFORM),
        cases.requantize(row, ("uint8", "int8"), unsigned[1], Quant(0.5, 0), _UNIFORM),
        cases.requantize(row, ("int8", "uint8"), Quant(0.5, 0), unsigned[0], _UNIFORM),
        cases.requantize(row, ("int8", "uint8"), Quant(0.5, 9), unsigned[1], _UNIFORM),
        cases.requantize(row, ("int8", "int8"), _UNIT, _UNIT, _UNIFORM),
        cases.requantize(row, ("int8", "int8"), _UNIT, Quant(2.0, 1), _UNIFORM),  # ties
        cases.requantize(row, ("int8", "int8"), _LOW, _HIGH, _EXTREMES),
        cases.requantize(row, ("int8", "int8"), _UNIT, Quant(2.0**33, -7), _EXTREMES),
    ]


def _dequantize() -> list[Case]:
    return [
        cases.dequantize((256,), "int8", Quant(0.1, -128), _UNIFORM),
        cases.dequantize((256,), "int8", Quant(1e-30, 127), _EXTREMES),
        cases.dequantize((2, 3), "uint8", Quant(1 / 255, 0), _UNIFORM),
    ]


def _relu() -> list[Case]:
    row = (1, 50)
    return [
        cases.relu(row, _LOW, _LOW, _UNIFORM),
        cases.relu(row, _LOW, _HIGH, _UNIFORM),
        cases.relu(row, Quant(1.0, 127), Quant(2.0, -128), _EXTREMES),
        cases.relu(row, Quant(1.0, 3), Quant(0.001, 5), _UNIFORM),
        cases.relu(row, _UNIT, Quant(2.0**33, -7), _UNIFORM),
        cases.relu((1, 600), Quant(3.99), Quant(2.66), _UNIFORM),  # 1.5 in float32, in double just below
    ]


def _relu6() -> list[Case]:
    quants = [_LOW, _HIGH, Quant(6.0, 0), Quant(0.01, -128), Quant(100.0, 20)]
    return [cases.relu6((1, 50), quant, _UNIFORM) for quant in quants]


def _mul() -> list[Case]:
    a = Operand((1, 3, 4, 2), _LOW)
    return [
        cases.mul(a, a, Quant(64.0), "NONE", _EXTREMES),
        cases.mul(a, a, Quant(0.1, -128), "RELU6", _UNIFORM),
        cases.mul(a, a, Quant(0.01, 9), "RELU_N1_TO_1", _UNIFORM),
        cases.mul(a, Operand((1, 1, 1, 2), Quant(1 / 256, -128)), _LOW, "NONE", _UNIFORM),  # squeeze and excite
        cases.mul(Operand((1, 1, 1, 2), Quant(1 / 256, -128)), a, _LOW, "NONE", _UNIFORM),
        cases.mul(a, Operand((1, 3, 4, 1), Quant(1 / 256, -128)), _LOW, "NONE", _UNIFORM),  # a weight for each pixel
        cases.mul(a, Operand((2,), _HIGH, constant=True), Quant(8.0), "RELU", _UNIFORM),
        cases.mul(Operand((1, 3, 1, 1), _HIGH, constant=True), a, Quant(8.0), "NONE", _UNIFORM),
        cases.mul(Operand((1, 3, 1, 2), _LOW), Operand((4, 1), _HIGH), Quant(8.0), "NONE", _UNIFORM),
        cases.mul(Operand((), _HIGH, constant=True), a, Quant(8.0), "NONE", _UNIFORM),
        cases.mul(a, a, Quant(0.5, 3), "NONE", _SMALL),  # ties
        cases.mul(a, a, Quant(2.0**-15), "NONE", _UNIFORM),  # the largest multiplier that overflows nothing
        cases.mul(a, a, Quant(2.0**29), "NONE", _EXTREMES),  # the smallest
        cases.mul(a, a, Quant(2.0**30, 3), "NONE", _EXTREMES),  # flushed to zero
    ]


def _concatenation() -> list[Case]:
    a, b = Operand((1, 2, 3, 2), _LOW), Operand((1, 2, 3, 4), _LOW)
    fixed = Operand((1, 2, 3, 3), _LOW, constant=True)
    return [
        cases.concatenation([a], 3, _UNIFORM),
        cases.concatenation([a, b], -1, _UNIFORM),
        cases.concatenation([a, fixed, b], 3, _UNIFORM, twice=0),
        cases.concatenation([a, Operand((1, 2, 1, 2), _LOW)], 2, _UNIFORM),
        cases.concatenation([a, Operand((1, 1, 3, 2), _LOW)], -3, _UNIFORM),
        cases.concatenation([a, a], 0, _UNIFORM),
        cases.concatenation([Operand((2, 2), _HIGH), Operand((2, 1), _HIGH)], 1, _UNIFORM),
        cases.concatenation([Operand((2, 2, 2, 3), _HIGH), Operand((2, 1, 2, 3), _HIGH)], 1, _UNIFORM),
        cases.concatenation([Operand((1 + i,), _HIGH) for i in range(10)], 0, _UNIFORM),  # TFLM's most
    ]


def _resize_nearest_neighbor() -> list[Case]:
    sizes = [((2, 3), (4, 6)), ((3, 5), (7, 2)), ((1, 4), (5, 1)), ((7, 7), (7, 7)), ((3, 49), (9, 41))]
    ways = [(align, half) for align in (False, True) for half in (False, True)]
    return [
        cases.resize_nearest_neighbor((1, *image, 2), size, _LOW, _UNIFORM, align_corners=align, half_pixels=half)
        for image, size in sizes
        for align, half in ways
    ]


def _strided_slice() -> list[Case]:
    every = slice(None, None, 1)
    parts: list[list[slice | int]] = [
        [every, every, every, slice(0, 2, 1)],  # half of the channels
        [every, slice(1, None, 2), slice(0, 4, 3), every],
        [every, slice(-2, -1, 1), every, slice(3, 0, -2)],
        [0, every, 1, every],
        [0, 1, 2, -1],  # a scalar
    ]
    return [cases.strided_slice((1, 3, 5, 4), part, _LOW, _UNIFORM) for part in parts]


def _logistic() -> list[Case]:
    zero_points, row = (-128, 0, 127), (1, 600)
    scales = (2.0**-28, 2.0**-9, 1 / 64, 0.0471, 15 / 127, 0.25, 1.0, 3.99)
    return [cases.logistic(row, Quant(scale, zero), _UNIFORM) for scale in scales for zero in zero_points]


EDGES: dict[str, Callable[[], list[Case]]] = {
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": _add,
    "PAD": _pad,
    "AVERAGE_POOL_2D": lambda: _pool_2d("AVERAGE_POOL_2D"),
    "MAX_POOL_2D": lambda: _pool_2d("MAX_POOL_2D"),
    "MEAN": _mean,
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
    "RELU": _relu,
    "RELU6": _relu6,
    "MUL": _mul,
    "CONCATENATION": _concatenation,
    "RESIZE_NEAREST_NEIGHBOR": _resize_nearest_neighbor,
    "LOGISTIC": _logistic,
    "STRIDED_SLICE": _strided_slice,
}
