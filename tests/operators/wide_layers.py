"""Layers with int16 inputs and int8 weights: accumulators of 64 bits, or of 32 where the bias has no more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.graph import Array, Clamp, DType, Op, Quant, Tensor
from tecompile.ops.scaled import ScaledOp
from tests.host.ops import Draw, conv2d, depthwise, fully_connected
from tests.tools import cases
from tests.tools.cases import Case, Source, Window
from tests.tools.random_ops import ACTIVATIONS, images, powers, sources, windows

from . import weighted
from .row import Row
from .weighted import Arithmetic, fitting

NO_BIAS, NARROW, WIDE = None, "int32", "int64"
_UNIT, _FINE = cases.Quant(1.0), cases.Quant(1.1)
_SMALL, _EXTREMES = Source(3, "small"), Source(2, "extremes")

ARITHMETIC = (
    Arithmetic("int16", _UNIT, _UNIT, (2.0**-8,)),  # ties
    Arithmetic("int16", _UNIT, _UNIT, (2.0**-8,), bias=WIDE, largest=2**45),
    Arithmetic("int16", _UNIT, _UNIT, (100.0,), bias=WIDE, largest=2**40),  # results beyond 32 bits wrap
    Arithmetic("int16", _UNIT, _UNIT, (1 - 2.0**-20,), weights=_SMALL),  # the largest mantissa of 16 bits
    Arithmetic("int16", _FINE, _UNIT, (1.3 * 2.0**-9, 0.1, 0.02), bias=WIDE, largest=2**30),
    Arithmetic("int16", _UNIT, _UNIT, (2.0**-20,), bias=WIDE, largest=2**40, activation="RELU"),
    Arithmetic("int16", _UNIT, cases.Quant(0.001), (2.0**-31,), bias=WIDE, largest=2**45, activation="RELU6"),
    Arithmetic("int16", _FINE, _UNIT, (2.0**-33,), weights=_EXTREMES, inputs=_EXTREMES),
    Arithmetic("int16", _FINE, cases.Quant(0.01), (0.07, 0.7, 0.3), activation="RELU_N1_TO_1", weights=_SMALL),
)
NARROW_ARITHMETIC = (
    Arithmetic("int16", _UNIT, _UNIT, (2.0**-8,), bias=NARROW, largest=2**20),
    Arithmetic("int16", _UNIT, _UNIT, (2.0**-20,), bias=NARROW, largest=2**31 - 1),  # sums wrap
    Arithmetic("int16", _FINE, _UNIT, (0.07, 1.5, 7.0), bias=NARROW, weights=_SMALL),
)
_WINDOWS = (
    ((1, 1, 3), Window((5, 5))),
    ((4, 7, 2), Window((2, 4), (2, 3))),
    ((5, 6, 2), Window((1, 1), (2, 3))),
    ((7, 9, 1), Window((3, 2), (2, 1), (3, 2), "VALID")),
)


def _conv_edges() -> list[Case]:
    window = Window((3, 3), (2, 2))
    shaped = [weighted.conv_2d(image, 3, w, ARITHMETIC[4]) for image, w in _WINDOWS]
    return shaped + [weighted.conv_2d((9, 8, 3), 3, window, a) for a in (*ARITHMETIC, *NARROW_ARITHMETIC)]


def _depthwise_edges() -> list[Case]:
    window, plain = Window((3, 3), (2, 2)), ARITHMETIC[0]
    shaped = [weighted.depthwise_conv_2d(image, 2, w, plain) for image, w in _WINDOWS]
    return shaped + [weighted.depthwise_conv_2d((9, 8, 3), 1, window, a) for a in ARITHMETIC]


def _fully_connected_edges() -> list[Case]:
    layers = [weighted.fully_connected(9, 12, 3, a) for a in (*ARITHMETIC, *NARROW_ARITHMETIC)]
    return [
        *layers,
        weighted.fully_connected(1, 1, 1, ARITHMETIC[0]),
        weighted.fully_connected(2, 300, 5, ARITHMETIC[1]),
    ]


@st.composite
def arithmetics(draw: DrawFn, channels: int, taps: int, biases: tuple[str | None, ...]) -> Arithmetic:
    """Draw what a layer that sums `taps` products computes with."""
    bias, low = draw(st.sampled_from(biases)), fitting(taps)
    exponents = draw(st.sampled_from([(low - 2, low + 2), (low - 2, low + 2), (-20.0, 3.0), (-32.0, -20.0)]))
    count = draw(st.sampled_from([1, channels]))
    largest = draw(st.sampled_from([0, 2**16, 2**24, 2**31 - 1 if bias == NARROW else 2**45]))
    scales = powers(-12, 3).map(cases.Quant)
    return Arithmetic(
        "int16",
        draw(scales),
        draw(scales),
        tuple(draw(powers(*exponents)) for _ in range(count)),
        bias=bias,
        largest=largest,
        activation=draw(st.sampled_from(ACTIVATIONS)),
        weights=draw(sources()),
        inputs=draw(sources()),
    )


@st.composite
def conv_2d(draw: DrawFn) -> Case:
    window, channels = draw(windows(dilation=3)), draw(st.integers(1, 6))
    image = draw(images(window))
    taps = math.prod(window.kernel) * image[2]
    return weighted.conv_2d(image, channels, window, draw(arithmetics(channels, taps, (NO_BIAS, NARROW, WIDE))))


@st.composite
def depthwise_conv_2d(draw: DrawFn) -> Case:
    window, multiplier = draw(windows(dilation=3)), draw(st.integers(1, 3))
    image = draw(images(window))
    a = draw(arithmetics(image[2] * multiplier, math.prod(window.kernel), (NO_BIAS, WIDE)))
    return weighted.depthwise_conv_2d(image, multiplier, window, a)


@st.composite
def fully_connected_16(draw: DrawFn) -> Case:
    rows, depth, channels = draw(st.integers(1, 5)), draw(st.integers(1, 60)), draw(st.integers(1, 9))
    return weighted.fully_connected(rows, depth, channels, draw(arithmetics(channels, depth, (NO_BIAS, NARROW, WIDE))))


# --- operators for kernels ------------------------------------------------------------------------


def widened(make: Callable[[Draw], Op], narrow: bool = True) -> Callable[[Draw], Op]:
    """The int8 operator that is drawn, on int16."""

    def made(draw: Draw) -> Op:
        op = make(draw)
        assert isinstance(op, ScaledOp)
        assert op.weights.quant is not None
        quant = op.weights.quant
        weights = replace(op.weights, quant=Quant(quant.scales, (0,) * len(quant.scales), quant.axis))
        tail = () if op.bias is None else _biases(draw, op.bias, narrow)
        twins = {op.x: _wide(op.x), op.weights: weights}
        kept = (t if t is None else twins.get(t, t) for t in op.inputs if t is None or t is not op.bias)
        inputs = (*kept, *tail)
        change: dict[str, Any] = {"inputs": inputs, "outputs": (_wide(op.y),), "clamp": _clamp(draw)}
        return replace(op, **change)

    return made


def _wide(tensor: Tensor) -> Tensor:
    return replace(tensor, dtype=DType.INT16, quant=Quant((tensor.scale,), (0,)))


def _clamp(draw: Draw) -> Clamp:
    low, high = sorted((draw.number(-32768, 32767), draw.number(-32768, 32767)))
    return draw.pick(Clamp(-32768, 32767), Clamp(low, high))


def _biases(draw: Draw, bias: Tensor, narrow: bool) -> tuple[Tensor, ...]:
    if narrow and draw.number(0, 2) == 0:
        return (bias,)
    assert bias.data is not None
    values: Array = bias.data.astype(np.int64) << draw.pick(0, 8, 14)
    return draw.pick((), (replace(bias, dtype=DType.INT64, data=values),))


ROWS: Mapping[str, Row] = {
    "CONV_2D int16": Row(_conv_edges, conv_2d(), widened(conv2d)),
    "DEPTHWISE_CONV_2D int16": Row(_depthwise_edges, depthwise_conv_2d(), widened(depthwise, narrow=False)),
    "FULLY_CONNECTED int16": Row(_fully_connected_edges, fully_connected_16(), widened(fully_connected)),
}
