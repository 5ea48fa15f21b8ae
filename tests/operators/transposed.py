"""TRANSPOSE_CONV on int8, int16 and uint8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.graph import Op, Padding
from tecompile.ops.geometry import Pair
from tecompile.ops.transpose_conv import TransposeConv
from tests.host.ops import Draw, scaled
from tests.tools.cases import Case, Quant, Source
from tests.tools.random_ops import ACTIVATIONS, pairs, powers, sources, zero_points

from . import weighted
from .row import Row
from .weighted import Arithmetic, fitting
from .wide_layers import widened

_X, _Y, _UNIT = Quant(0.5, -128), Quant(0.25, 127), Quant(1.0)
_SHAPES = (
    ((1, 1, 1), (1, 1), (1, 1)),
    ((2, 3, 2), (3, 3), (2, 2)),
    ((3, 2, 3), (2, 5), (1, 3)),
    ((2, 2, 2), (1, 2), (3, 4)),  # pixels that nothing reaches
    ((4, 1, 2), (5, 1), (2, 1)),
)
Arithmetics = Sequence[Arithmetic]
BYTES = (
    Arithmetic("int8", _X, _Y, (2.0**-6, 2.0**-7), bias="int32", largest=1000),
    Arithmetic("int8", _UNIT, _UNIT, (0.5,), weights=Source(3, "small")),
    Arithmetic("int8", _Y, _X, (0.02,), bias="int32", largest=1000, activation="RELU6"),
)
WIDE = (
    Arithmetic("int16", _UNIT, _UNIT, (2.0**-8, 0.01), bias="int64", largest=2**40),
    Arithmetic("int16", _UNIT, _UNIT, (0.02,), bias="int16", largest=30000, activation="RELU"),
    Arithmetic("int16", _UNIT, _UNIT, (100.0,)),
)


def _edges(arithmetics: Arithmetics) -> list[Case]:
    return [
        weighted.transpose_conv(image, 2, kernel, stride, padding, a, fed=padding == "SAME")
        for image, kernel, stride in _SHAPES
        for padding in ("SAME", "VALID")
        for a in arithmetics
    ]


@st.composite
def arithmetics(
    draw: DrawFn, dtype: str, channels: int, taps: int, biases: tuple[str | None, ...] = ("int64", "int16", None)
) -> Arithmetic:
    """Draw what the layer computes with."""
    low = fitting(taps)
    exponents = draw(st.sampled_from([(low - 2, low + 2), (low - 2, low + 2), (-20.0, 0.0)]))
    zeros = st.just(0) if dtype == "int16" else zero_points(0 if dtype == "uint8" else -128)
    bias = biases if dtype == "int16" else ("int32", None)
    count = 1 if dtype == "uint8" else draw(st.sampled_from([1, channels]))
    return Arithmetic(
        dtype,
        Quant(draw(powers(-12, 3)), draw(zeros)),
        Quant(draw(powers(-12, 3)), draw(zeros)),
        tuple(draw(powers(*exponents)) for _ in range(count)),
        draw(zeros) if dtype == "uint8" else 0,
        draw(st.sampled_from(bias)),
        draw(st.sampled_from([100, 32767])),
        draw(st.sampled_from(ACTIVATIONS)),
        draw(sources()),
        draw(sources()),
    )


@st.composite
def transpose_conv(draw: DrawFn, dtype: str) -> Case:
    """Draw a TRANSPOSE_CONV, whose output's shape may be an input that is not read."""
    kernel, stride, channels = draw(pairs(5)), draw(pairs(4)), draw(st.integers(1, 6))
    image = (*draw(pairs(6)), draw(st.integers(1, 6)))
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    a = draw(arithmetics(dtype, channels, kernel[0] * kernel[1] * image[2]))
    fed = dtype != "uint8" and draw(st.booleans())  # LiteRT does not run it
    return weighted.transpose_conv(image, channels, kernel, stride, padding, a, fed=fed)


def draw_op(draw: Draw) -> Op:
    """Any padding, and outputs that nothing reaches."""
    kernel, stride = Pair(draw.number(1, 5), draw.number(1, 5)), Pair(draw.number(1, 4), draw.number(1, 4))
    rows, columns, cin, cout = draw.number(1, 7), draw.number(1, 7), draw.number(1, 9), draw.number(1, 7)
    top, left = draw.number(0, kernel.rows - 1), draw.number(0, kernel.columns - 1)
    size = [
        max(1, (n - 1) * s + k - before - draw.number(0, 2) + draw.pick(0, 0, 3))
        for n, s, k, before in zip((rows, columns), stride, kernel, (top, left), strict=True)
    ]
    q = scaled(draw, cout, kernel.rows * kernel.columns * cin, 0)
    x, y = draw.tensor("x", (1, rows, columns, cin), q.x), draw.tensor("y", (1, *size, cout), q.y)
    weights = draw.constant("w", (cout, *kernel, cin), q.weights)
    padding = Padding(top, 0, left, 0)
    inputs = (None, weights, x, *draw.bias(cout))
    return TransposeConv(0, inputs, (y,), draw.clamp(), draw.rounding(), kernel, stride, padding)


ROWS: Mapping[str, Row] = {
    "TRANSPOSE_CONV": Row(lambda: _edges(BYTES), transpose_conv("int8"), draw_op),
    "TRANSPOSE_CONV int16": Row(lambda: _edges(WIDE), transpose_conv("int16"), widened(draw_op, narrow=False)),
}
