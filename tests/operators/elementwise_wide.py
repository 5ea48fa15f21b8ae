"""Functions of one int16 value, conversions between types, and what LiteRT computes for uint8."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tecompile.graph import DType, Op, Tensor
from tecompile.graph import Quant as GraphQuant
from tests.host.ops import Draw
from tests.host.ops import shape as drawn_shape
from tests.tools import cases
from tests.tools.cases import Case, Quant, Shape, Source
from tests.tools.random_ops import powers, shapes, sources
from tests.tools.tflite_writer import TensorSpec

from .elementwise_unary import SLOPES, Options, Unary, made, type_quants
from .row import Row

FRACTION = Quant(2.0**-15)
RISING: SearchStrategy[Options] = SLOPES.filter(lambda options: options["alpha"] >= 0)  # type: ignore[operator]


def draw16(kind: str, y: GraphQuant | None = None, low: float = -12, high: float = 3) -> Callable[[Draw], Op]:
    """A random operator on int16; the output's scale is near the input's, if none is given."""

    def make(draw: Draw) -> Op:
        x_quant = draw.quant(low, high, zero=0)
        near = GraphQuant((float(np.float32(x_quant.scale * draw.power(-3, 6))),), (0,))
        shape = draw.pick(drawn_shape(draw), (1, *drawn_shape(draw, 3, 3)))
        tensors = [Tensor(name, shape, DType.INT16, quant) for name, quant in (("x", x_quant), ("y", y or near))]
        options = {"alpha": draw.pick(0.0, 0.1, 0.3, 1.5)} if kind == "LEAKY_RELU" else {}
        op = made(kind, (tensors[0],), tensors[1], options)
        return replace(op, rounding=draw.rounding()) if hasattr(op, "rounding") else op

    return make


WIDE = (
    (Unary("ABS", "int16", ratio=(-12, 12)), draw16("ABS")),
    (Unary("LEAKY_RELU", "int16", ratio=(-12, 12), options=RISING), draw16("LEAKY_RELU")),
    (Unary("RELU", "int16", ratio=(-12, 12)), draw16("RELU")),
    (Unary("RELU6", "int16", scales=(-14, 0), same=True), draw16("RELU6")),
    (Unary("LOGISTIC", "int16", (-24, 1.4), y=FRACTION), draw16("LOGISTIC", GraphQuant((2.0**-15,), (0,)), -20, 1)),
    (Unary("TANH", "int16", (-24, 1.4), y=FRACTION), draw16("TANH", GraphQuant((2.0**-15,), (0,)), -20, 1)),
)
LEGACY = (
    Unary("HARD_SWISH", "uint8", scales=(-20, 10), ratio=(-7, 6.9)),
    Unary("LEAKY_RELU", "uint8", ratio=(-20, 10), options=SLOPES),
    Unary("LOGISTIC", "uint8", scales=(-12, 6), y=Quant(1 / 256)),
    Unary("RELU", "uint8", ratio=(-20, 10)),
    Unary("RELU6", "uint8", same=True),
    Unary("RELU_0_TO_1", "uint8", ratio=(-20, 10)),
    Unary("RELU_N1_TO_1", "uint8", ratio=(-20, 10)),
    Unary("TANH", "uint8", scales=(-12, 6), y=Quant(1 / 128, 128)),
)

# --- conversions ----------------------------------------------------------------------------------

WAYS = (("int16", "int8"), ("int8", "int16"), ("int16", "int16"), ("int16", "int32"), ("int8", "int32"),
        ("int32", "int16"), ("int32", "int8"))  # fmt: skip
STEP = {"int8": 1.0, "int16": 2.0**-8, "int32": 2.0**-24}  # of scales that cover the same range


def converted(shape: Shape, way: tuple[str, str], x: Quant, y: Quant, source: Source) -> Case:
    tensors = [TensorSpec(shape, t, q.scale, q.zero_point) for t, q in zip(way, (x, y), strict=True)]
    return cases._case("QUANTIZE", tensors[:1], tensors[1], {}, source)


@st.composite
def conversions(draw: DrawFn) -> Case:
    """Draw a QUANTIZE between integers, or from real numbers to int16."""
    if draw(st.integers(0, 5)) == 0:
        return quantized16(draw(shapes(1, 4)), Quant(draw(powers(-16, 3))), draw(sources()))
    way = draw(st.sampled_from(WAYS))
    scale = draw(powers(-8, 3))
    x, y = (
        draw(type_quants("int16" if t == "int32" else t, st.just(scale * STEP[t] * draw(powers(-2, 2))))) for t in way
    )
    if way[0] == "int16":  # as behind a SOFTMAX from int8 to int16
        x = Quant(x.scale, draw(st.sampled_from([0, 0, -(1 << 15), 1234, (1 << 15) - 1])))
    return converted(draw(shapes(1, 4)), way, x, y, draw(sources()))


def quantized16(shape: Shape, y: Quant, source: Source) -> Case:
    """Real numbers, every second of which lies half-way between two steps."""
    halves = source.integers(shape, "int32") % (1 << 18) - (1 << 17)
    inputs = ((halves.astype(np.float32) / 2 * y.scale).astype(np.float32),)
    tensors = TensorSpec(shape, "float32"), TensorSpec(shape, "int16", y.scale, 0)
    return cases._case("QUANTIZE", tensors[:1], tensors[1], {}, source, inputs)


@st.composite
def real_numbers(draw: DrawFn) -> Case:
    """Draw a DEQUANTIZE of int16."""
    shape, scale = draw(shapes(1, 4)), draw(powers(-20, 6))
    tensors = TensorSpec(shape, "int16", Quant(scale).scale, 0), TensorSpec(shape, "float32")
    return cases._case("DEQUANTIZE", tensors[:1], tensors[1], {}, draw(sources()))


def conversion_edges() -> list[Case]:
    return [
        *(
            converted((1, 300), way, Quant(STEP[way[0]]), Quant(STEP[way[1]] * k), Source(k))
            for way in WAYS
            for k in (1, 2)
        ),
        *(converted((1, 300), way, Quant(2.0**10), Quant(2.0**-10), Source(3, "extremes")) for way in WAYS),
        *(converted((1, 300), way, Quant(2.0**-20), Quant(2.0**8), Source(4, "extremes")) for way in WAYS),
        *(quantized16((1, 300), Quant(scale), Source(5)) for scale in (2.0**-15, 0.001, 1.0)),
    ]


def draw_conversion(draw: Draw) -> Op:
    way, shape = draw.pick(*WAYS), drawn_shape(draw)
    zeros = {"int8": (draw.number(-128, 127),), "int16": (0, 0, -(1 << 15), (1 << 15) - 1), "int32": (0,)}
    scale = draw.power(-8, 3)
    x, y = (
        Tensor(
            name,
            shape,
            DType(t),
            GraphQuant(
                (float(np.float32(scale * STEP[t] * draw.power(-2, 2))),),
                (draw.pick(*zeros[t]) if name == "x" or t == "int8" else 0,),
            ),
        )
        for name, t in zip("xy", way, strict=True)
    )
    op = made("QUANTIZE", (x,), y)
    return op if y.dtype is DType.INT32 else replace(op, rounding=draw.rounding())


ROWS: Mapping[str, Row] = {
    **{f"{unary.kind} int16": unary.row(draw=draw) for unary, draw in WIDE},
    **{f"{unary.kind} uint8": unary.row("litert") for unary in LEGACY},
    "QUANTIZE int16": Row(conversion_edges, conversions(), draw_conversion),
    "DEQUANTIZE int16": Row(list, real_numbers()),
}
