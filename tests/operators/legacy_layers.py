"""Layers on uint8, TensorFlow 1's quantisation: weights have a zero point. LiteRT is the authority."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.graph import Op, Quant, Rounding
from tecompile.ops.fully_connected import FullyConnected
from tecompile.ops.scaled import ScaledOp
from tests.host.ops import Draw, conv2d, depthwise, fully_connected
from tests.tools import cases
from tests.tools.cases import Case, Source, Window
from tests.tools.random_ops import ACTIVATIONS, images, powers, sources, windows, zero_points

from . import transposed, weighted
from .row import Row
from .weighted import Arithmetic, fitting

_LOW, _HIGH, _UNIT = cases.Quant(0.5, 0), cases.Quant(0.25, 255), cases.Quant(1.0, 128)
_SMALL = Source(3, "small")

# The products of these two scales need more than float32 holds, and biases of this size show which one is meant.
_FINE = Arithmetic("uint8", cases.Quant(1.1, 128), _UNIT, (1.3 * 2.0**-23,), 128, "int32", 2**30, weights=_SMALL)
ARITHMETIC = (
    Arithmetic("uint8", _UNIT, _UNIT, (0.5,), 128, "int32", 100, weights=_SMALL),  # ties
    Arithmetic("uint8", _UNIT, _UNIT, (0.125,), 3, "int32", 100, weights=_SMALL),
    Arithmetic("uint8", _LOW, _HIGH, (2.0**-9,), 0, "int32", 1000),
    Arithmetic("uint8", _HIGH, _LOW, (0.003,), 255, "int32", 1000, "RELU6"),
    Arithmetic("uint8", _LOW, cases.Quant(0.01, 99), (0.003,), 77, "int32", 1000, "RELU_N1_TO_1"),
    *(replace(_FINE, weights=Source(seed, "small")) for seed in range(8)),
)


def _conv_edges() -> list[Case]:
    return [weighted.conv_2d((9, 8, 3), 3, Window((3, 3), (2, 2)), a) for a in ARITHMETIC]


def _depthwise_edges() -> list[Case]:
    return [weighted.depthwise_conv_2d((9, 8, 3), 2, Window((3, 3), (2, 2)), a) for a in ARITHMETIC]


def _fully_connected_edges() -> list[Case]:
    return [weighted.fully_connected(9, 12, 7, a) for a in ARITHMETIC]


@st.composite
def arithmetics(draw: DrawFn, taps: int) -> Arithmetic:
    """Draw what a layer that sums `taps` products computes with; LiteRT takes one scale for all weights."""
    low = fitting(taps)
    exponents = draw(st.sampled_from([(low - 2, low + 2), (low - 2, low + 2), (low + 4, low + 7), (-20.0, 0.0)]))
    x, y = (cases.Quant(draw(powers(-12, 3)), draw(zero_points(0))) for _ in range(2))
    largest = draw(st.sampled_from([100, 2**16, 2**24]))
    return Arithmetic(
        "uint8",
        x,
        y,
        (draw(powers(*exponents)),),
        draw(zero_points(0)),
        "int32",
        largest,
        draw(st.sampled_from(ACTIVATIONS)),
        draw(sources()),
        draw(sources()),
    )


@st.composite
def conv_2d(draw: DrawFn) -> Case:
    window, channels = draw(windows(dilation=3)), draw(st.integers(1, 6))
    image = draw(images(window))
    return weighted.conv_2d(image, channels, window, draw(arithmetics(math.prod(window.kernel) * image[2])))


@st.composite
def depthwise_conv_2d(draw: DrawFn) -> Case:
    window, multiplier = draw(windows(dilation=3)), draw(st.integers(1, 3))
    image = draw(images(window))
    return weighted.depthwise_conv_2d(image, multiplier, window, draw(arithmetics(math.prod(window.kernel))))


@st.composite
def fully_connected_8(draw: DrawFn) -> Case:
    rows, depth, channels = draw(st.integers(1, 5)), draw(st.integers(1, 60)), draw(st.integers(1, 9))
    return weighted.fully_connected(rows, depth, channels, draw(arithmetics(depth)))


def recentred(make: Callable[[Draw], Op]) -> Callable[[Draw], Op]:
    """The int8 operator that is drawn, as if it had been uint8 in the file: its weights have a zero point."""

    def made(draw: Draw) -> Op:
        op = make(draw)
        assert isinstance(op, ScaledOp)
        assert op.weights.quant is not None
        quant = Quant(op.weights.quant.scales[:1], (draw.pick(-128, 127, 1, draw.number(-128, 127)),))
        weights = replace(op.weights, quant=quant)
        inputs = tuple(weights if t is op.weights else t for t in op.inputs)
        change: dict[str, Any] = {} if isinstance(op, FullyConnected) else {"legacy": True}
        return replace(op, inputs=inputs, **change)

    return made


def rounded_away(draw: Draw) -> Op:
    """A FULLY_CONNECTED of uint8; or of int8 as `--rounding litert` has it, by channel, with negative scales."""
    make = draw.pick(recentred(fully_connected), fully_connected)
    change: dict[str, Any] = {"rounding": Rounding.AWAY}
    return replace(make(draw), **change)


ROWS: Mapping[str, Row] = {
    "CONV_2D uint8": Row(_conv_edges, conv_2d(), recentred(conv2d), "litert"),
    "DEPTHWISE_CONV_2D uint8": Row(_depthwise_edges, depthwise_conv_2d(), recentred(depthwise), "litert"),
    "FULLY_CONNECTED uint8": Row(_fully_connected_edges, fully_connected_8(), rounded_away, "litert"),
    "TRANSPOSE_CONV uint8": Row(list, transposed.transpose_conv("uint8"), recentred(transposed.draw_op), "litert"),
}
