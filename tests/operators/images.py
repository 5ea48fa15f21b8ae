"""Operators that see windows or whole axes: resizing, reductions, pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.graph import Clamp, DType, Op, Tensor
from tecompile.graph import Quant as OpQuant
from tecompile.ops.geometry import Pair
from tecompile.ops.pool2d import AveragePool2D, MaxPool2D
from tecompile.ops.resize_bilinear import ResizeBilinear
from tecompile.ops.softmax import RESULTS, Softmax
from tests.host import ops as host
from tests.host.ops import Draw
from tests.tools.cases import Case, Quant, Shape, Source, Window, _case, constant
from tests.tools.random_ops import ACTIVATIONS, images, powers, sources, windows
from tests.tools.tflite_writer import OptionValue

from . import reductions
from .reductions import LOWEST, element, quants_of, typed
from .row import Row

_UNIFORM, _EXTREMES = Source(1), Source(2, "extremes")


def _middle(dtype: str) -> int:
    return 0 if dtype == "int16" else LOWEST[dtype] + 125


# --- resizing -------------------------------------------------------------------------------------


def bilinear(shape: Shape, size: tuple[int, int], dtype: str, way: tuple[bool, bool], source: Source) -> Case:
    """Interpolate an image (batch, height, width, channels); `way` is (align corners, half pixels)."""
    quant = Quant(0.5, _middle(dtype))
    inputs = [typed(shape, dtype, quant), constant(np.array(size, np.int32))]
    options: dict[str, OptionValue] = {"align_corners": way[0], "half_pixel_centers": way[1]}
    return _case("RESIZE_BILINEAR", inputs, typed((shape[0], *size, shape[3]), dtype, quant), options, source)


WAYS = ((False, False), (True, False), (False, True))
SIZES = (
    ((2, 3), (4, 6)), ((3, 5), (7, 2)), ((1, 4), (5, 1)), ((1, 1), (3, 3)), ((7, 7), (7, 7)), ((3, 49), (9, 41)),
    ((8, 6), (4, 3)), ((2, 2), (11, 200)),
)  # fmt: skip
DYADIC = (((2, 3), (4, 6)), ((8, 6), (4, 3)), ((3, 5), (12, 40)), ((7, 7), (7, 7)), ((1, 1), (4, 4)))


def bilinear_edges(dtype: str) -> list[Case]:
    sizes = DYADIC if dtype == "uint8" else SIZES
    return [
        bilinear((batch, *image, 2), size, dtype, way, source)
        for image, size in sizes
        for way in (WAYS[::2] if dtype == "uint8" else WAYS)
        for batch, source in ((1, _UNIFORM), (2, _EXTREMES))
    ]


@st.composite
def bilinears(draw: DrawFn, dtype: str) -> Case:
    """Up or down; of uint8 only by powers of two, whose weights have few bits."""
    side = st.one_of(st.integers(1, 12), st.integers(1, 40))
    height, width, source = draw(side), draw(side), draw(sources())
    factors = st.sampled_from([1, 2, 4, 8])
    doubled = (height * draw(factors), width * draw(factors))
    wanted = doubled if dtype == "uint8" else draw(st.one_of(st.just(doubled), st.tuples(side, side)))
    way = draw(st.sampled_from(WAYS[::2] if dtype == "uint8" else WAYS))
    return bilinear((draw(st.integers(1, 2)), height, width, draw(st.integers(1, 3))), wanted, dtype, way, source)


def draw_bilinear(draw: Draw, dtype: DType) -> Op:
    image = (draw.pick(1, 1, 2), draw.number(1, 12), draw.number(1, 12), draw.number(1, 6))
    factor = draw.pick(1, 2, 4)
    doubled = (image[1] * factor, image[2] * draw.pick(1, 2, 4))
    real = dtype is DType.INT8 and draw.number(0, 3) == 0
    wanted = doubled if real else draw.pick(doubled, (draw.number(1, 20), draw.number(1, 20)))
    align, half = draw.pick(*(WAYS[::2] if real else WAYS))
    quant = element(draw, dtype)
    x, y = (Tensor(name, s, dtype, quant) for name, s in (("x", image), ("y", (image[0], *wanted, image[3]))))
    table = Tensor("size", (2,), DType.INT32, None, np.array(wanted, np.int32))
    return ResizeBilinear(0, (x, table), (y,), align, half, real)


# --- pools ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Values:
    """What a pool sees; the output is quantised alike."""

    dtype: str
    quant: Quant
    source: Source = _UNIFORM
    batch: int = 1


def pool(kind: str, image: Shape, window: Window, values: Values, activation: str = "NONE") -> Case:
    """Pool images (height, width, channels)."""
    options: dict[str, OptionValue] = {
        **window.options(),
        "filter_height": window.kernel[0],
        "filter_width": window.kernel[1],
        "fused_activation_function": activation,
    }
    shapes = ((values.batch, *image), (values.batch, *window.output(image, image[2])[1:]))
    x, y = (typed(shape, values.dtype, values.quant) for shape in shapes)
    return _case(kind, [x], y, options, values.source)


PLACES = (
    ((1, 1, 1), Window((5, 5), (3, 3))),
    ((7, 5, 3), Window((2, 3), (2, 3))),
    ((7, 5, 3), Window((1, 1), (3, 2), padding="VALID")),
    ((4, 6, 9), Window((4, 6), padding="VALID")),
    ((3, 3, 2), Window((5, 4))),
    ((20, 21, 2), Window((20, 21), padding="VALID")),  # too large for a division by a product
)


def pool_edges(kind: str, dtype: str, batch: int = 1) -> list[Case]:
    some = Values(dtype, Quant(0.25, _middle(dtype)), batch=batch)
    plain = [pool(kind, *place, replace(some, source=s)) for place in PLACES for s in (_UNIFORM, _EXTREMES)]
    square = ((4, 4, 3), Window((2, 2), (2, 2)))
    fills = [pool(kind, *square, replace(some, source=Source(0, fill))) for fill in ("low", "high", "small")]
    clamps = [pool(kind, *square, some, name) for name in ("RELU", "RELU6", "RELU_N1_TO_1")]
    return plain + fills + clamps


@st.composite
def pools(draw: DrawFn, kind: str, dtype: str, most: int = 1) -> Case:
    window = draw(windows())
    values = Values(dtype, draw(quants_of(dtype)), draw(sources()), draw(st.integers(1, most)))
    return pool(kind, draw(images(window)), window, values, draw(st.sampled_from(ACTIVATIONS)))


def draw_pool(draw: Draw, cls: type[AveragePool2D] | type[MaxPool2D], dtype: DType) -> Op:
    w, channels, quant = host.window(draw, (1, 2, 3, 3, 5, 7), (1,)), draw.number(1, 9), element(draw, dtype)
    low, high = sorted((draw.number(*dtype.bounds), draw.number(*dtype.bounds)))
    shapes = (("x", (1, w.rows, w.columns, channels)), ("y", (1, *w.out, channels)))
    x, y = (Tensor(name, shape, dtype, quant) for name, shape in shapes)
    clamp = draw.pick(Clamp(*dtype.bounds), Clamp(low, high))
    return cls(0, (x,), (y,), w.kernel, w.stride, Pair(1, 1), w.padding, clamp)


def draw_ties_up(draw: Draw) -> Op:
    """What a pass makes of an average of uint8."""
    op = draw_pool(draw, AveragePool2D, DType.INT8)
    assert isinstance(op, AveragePool2D)
    return AveragePool2D(0, op.inputs, op.outputs, op.kernel, op.stride, op.dilation, op.padding, op.clamp, True)


# --- softmax --------------------------------------------------------------------------------------


def softmax(shape: Shape, dtypes: tuple[str, str], x: Quant, beta: float, source: Source) -> Case:
    """Take the softmax of the last axis; types decide about the output's quantisation."""
    result = RESULTS[DType(dtypes[0]), DType(dtypes[1])]
    y = typed(shape, dtypes[1], Quant(result.scale, result.zero_point))
    return _case("SOFTMAX", [typed(shape, dtypes[0], x)], y, {"beta": beta}, source)


def softmax_edges(dtypes: tuple[str, str]) -> list[Case]:
    zero, fine = _middle(dtypes[0]), 2.0**-8 if dtypes[0] == "int16" else 1.0
    return [
        softmax((1, 10), dtypes, Quant(0.1 * fine, zero), 1.0, Source(0, "low")),
        softmax((1, 10), dtypes, Quant(0.1 * fine, zero), 1.0, _EXTREMES),
        softmax((1, 1), dtypes, Quant(0.1 * fine, zero), 1.0, _UNIFORM),
        softmax((3, 10), dtypes, Quant(2.0**-25, zero), 1.0, _EXTREMES),
        softmax((3, 10), dtypes, Quant(0.5, zero), 2.0, _UNIFORM),
        softmax((1, 2, 3, 5), dtypes, Quant(0.02 * fine, zero), 0.5, _UNIFORM),
        softmax((7,), dtypes, Quant(0.03 * fine, zero), 1.0, _UNIFORM),
        softmax((1, 500), dtypes, Quant(0.1 * fine, zero), 1.0, _UNIFORM),
    ]


@st.composite
def softmaxes(draw: DrawFn, dtypes: tuple[str, str]) -> Case:
    shape = (*draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)), draw(st.integers(1, 40)))
    beta = draw(st.one_of(st.just(1.0), powers(-3, 3)))
    steepest = -2 if dtypes[0] == "int16" else 6
    x = draw(quants_of(dtypes[0], powers(-22, steepest)))
    return softmax(shape, dtypes, x, beta, draw(sources()))


def draw_softmax(draw: Draw, dtypes: tuple[str, str]) -> Op:
    x_type, y_type = map(DType, dtypes)
    shape = (*host.shape(draw)[:-1], draw.pick(1, 2, 10, 37, 700))
    low, high = (-26.0, 1.0) if x_type is DType.INT16 else (-12.0, 2.0)
    zero = 0 if x_type is DType.INT16 else draw.number(-128, 127)
    x = Tensor("x", shape, x_type, OpQuant((draw.power(low, high),), (zero,)))
    result = RESULTS[x_type, y_type]
    y = Tensor("y", shape, y_type, OpQuant((result.scale,), (result.zero_point,)))
    return Softmax(0, (x,), (y,), draw.pick(1.0, 1.0, 0.3))


# --- the table ------------------------------------------------------------------------------------


def _pool_row(kind: str, cls: type[AveragePool2D] | type[MaxPool2D], dtype: str) -> Row:
    unsigned: Callable[[Draw], Op] | None = draw_ties_up if cls is AveragePool2D else None
    kernel = unsigned if dtype == "uint8" else partial(draw_pool, cls=cls, dtype=DType(dtype))
    return Row(partial(pool_edges, kind, dtype), pools(kind, dtype), kernel, "litert" if dtype == "uint8" else "tflm")


def _batch_row(kind: str) -> Row:
    """What simpler operators compute."""
    return Row(partial(pool_edges, kind, "int8", 2), pools(kind, "int8", 4))


def _softmax_row(x: str, y: str) -> Row:
    kernel = None if x == "uint8" else partial(draw_softmax, dtypes=(x, y))
    return Row(partial(softmax_edges, (x, y)), softmaxes((x, y)), kernel, "litert" if x == "uint8" else "tflm")


def _bilinear_row(dtype: str) -> Row:
    kernel = None if dtype == "uint8" else partial(draw_bilinear, dtype=DType(dtype))
    golden = "tflm" if dtype == "int8" else "litert"
    return Row(partial(bilinear_edges, dtype), bilinears(dtype), kernel, golden)


ROWS: Mapping[str, Row] = {
    **reductions.ROWS,
    "RESIZE_BILINEAR": _bilinear_row("int8"),
    "RESIZE_BILINEAR int16": _bilinear_row("int16"),
    "RESIZE_BILINEAR uint8": _bilinear_row("uint8"),
    "AVERAGE_POOL_2D int16": _pool_row("AVERAGE_POOL_2D", AveragePool2D, "int16"),
    "AVERAGE_POOL_2D uint8": _pool_row("AVERAGE_POOL_2D", AveragePool2D, "uint8"),
    "AVERAGE_POOL_2D of batches": _batch_row("AVERAGE_POOL_2D"),
    "MAX_POOL_2D of batches": _batch_row("MAX_POOL_2D"),
    "MAX_POOL_2D int16": _pool_row("MAX_POOL_2D", MaxPool2D, "int16"),
    "MAX_POOL_2D uint8": _pool_row("MAX_POOL_2D", MaxPool2D, "uint8"),
    "SOFTMAX int16": _softmax_row("int16", "int16"),
    "SOFTMAX to int16": _softmax_row("int8", "int16"),
    "SOFTMAX uint8": _softmax_row("uint8", "uint8"),
}
