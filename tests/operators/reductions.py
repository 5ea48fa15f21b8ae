"""Sums, means and extremes along axes, and where the extremes are: MEAN, SUM, REDUCE_MAX, ARG_MAX..."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tecompile.graph import DType, Op, Tensor
from tecompile.graph import Quant as OpQuant
from tecompile.ops.arg_extreme import ArgExtreme, ArgMax, ArgMin
from tecompile.ops.cumsum import CumSum
from tecompile.ops.mean import Mean, Sum
from tecompile.ops.reduce_extreme import ReduceExtreme, ReduceMax, ReduceMin
from tecompile.ops.reduce_truth import ReduceAll, ReduceAny
from tecompile.ops.reduction import Reduction, ScaledSum
from tests.host import ops as host
from tests.host.ops import Draw
from tests.tools.cases import Case, Quant, Shape, Source, _case, constant
from tests.tools.random_ops import powers, quants, shapes, sources
from tests.tools.tflite_writer import OptionValue, TensorSpec

from .row import Row

SCALED, EXTREMES, PLACES = ("SUM", "MEAN"), ("REDUCE_MAX", "REDUCE_MIN"), ("ARG_MAX", "ARG_MIN")
LOWEST = {"int8": -128, "uint8": 0}


# --- models ---------------------------------------------------------------------------------------


def typed(shape: Shape, dtype: str, quant: Quant, data: np.ndarray | None = None) -> TensorSpec:
    """Describe a tensor of any quantised type."""
    return TensorSpec(shape, dtype, quant.scale, quant.zero_point, data=data)


def reduced(shape: Shape, axes: Sequence[int], keep: bool) -> Shape:
    return np.empty(shape, np.int8).sum(axis=tuple({a % len(shape) for a in axes}), keepdims=keep).shape


def reduce(kind: str, x: TensorSpec, axes: Sequence[int] | int, keep: bool, y: Quant, source: Source) -> Case:
    """Reduce along axes, which one integer may name as well."""
    output = reduced(x.shape, [axes] if isinstance(axes, int) else axes, keep)
    inputs = [x, constant(np.array(axes, np.int32))]
    return _case(kind, inputs, typed(output, x.dtype, y), {"keep_dims": keep}, source)


def place(kind: str, x: TensorSpec, axis: Sequence[int] | int, index: str, source: Source) -> Case:
    """Ask where the extreme lies."""
    output = TensorSpec(reduced(x.shape, [axis] if isinstance(axis, int) else axis, False), index)
    options: dict[str, OptionValue] = {"output_type": index.upper()}
    return _case(kind, [x, constant(np.array(axis, np.int32))], output, options, source)


_AXES = ([1, 2], [2, 1], [-1], 3, [1, -3], [0, 1, 2, 3], [2], [-2, -1], [1, 3], [0])


def edges(kind: str, dtype: str) -> list[Case]:
    shape, source = (1, 5, 4, 3), Source(1)
    zero = LOWEST.get(dtype, -128) + 130 if dtype != "int16" else 0
    x, coarse = Quant(0.5, zero), Quant(2.0, zero)
    y = coarse if kind in SCALED else x
    found = [reduce(kind, typed(shape, dtype, x), axes, keep, y, source) for axes in _AXES for keep in (False, True)]
    found += [
        reduce(kind, typed((7,), dtype, x), [0], False, y, source),
        reduce(kind, typed((2, 3, 2, 3, 2), dtype, x), [1, 3], True, y, source),
        reduce(kind, typed((1, 1, 1, 4), dtype, x), [1, 2], False, y, source),
        reduce(kind, typed((2, 4, 5, 3), dtype, x), [3], False, y, Source(2, "extremes")),
        reduce(kind, typed((2, 4, 5, 3), dtype, x), [2, 3], True, y, Source(2, "small")),
    ]
    if kind in SCALED:
        scales = (2.0**-10, 0.5, 2.0**20, 2.0**33)
        found += [reduce(kind, typed(shape, dtype, x), [1, 2], False, Quant(s, zero), source) for s in scales]
    return found


def place_edges(kind: str, dtype: str, index: str) -> list[Case]:
    x = Quant(0.5, 3)
    fills = (Source(1), Source(2, "extremes"), Source(3, "low"))  # the last two are full of ties
    found = [place(kind, typed((1, 4, 5, 3), dtype, x), axis, index, s) for axis in ([-1], 2, 1, 0) for s in fills]
    return [*found, place(kind, typed((9,), dtype, x), 0, index, fills[0])]


def truth(kind: str, shape: Shape, axes: Sequence[int], keep: bool, source: Source) -> Case:
    """Reduce what is true or false; alike values are as likely as any."""
    inputs = [TensorSpec(shape, "bool"), constant(np.array(axes, np.int32))]
    array = source.integers(shape) > (120 if kind == "REDUCE_ANY" else -120)
    return _case(kind, inputs, TensorSpec(reduced(shape, axes, keep), "bool"), {"keep_dims": keep}, source, (array,))


def truth_edges(kind: str) -> list[Case]:
    axes = [list(np.atleast_1d(a)) for a in _AXES]
    return [truth(kind, (1, 5, 4, 3), some, keep, Source(i)) for i, some in enumerate(axes) for keep in (False, True)]


def cumsum(shape: Shape, axis: int, ways: tuple[bool, bool], quants: tuple[Quant, Quant], source: Source) -> Case:
    """`ways` are exclusive and reverse."""
    inputs = [typed(shape, "int8", quants[0]), constant(np.array(axis, np.int32))]
    options: dict[str, OptionValue] = {"exclusive": ways[0], "reverse": ways[1]}
    return _case("CUMSUM", inputs, typed(shape, "int8", quants[1]), options, source)


WAYS = [(exclusive, reverse) for exclusive in (False, True) for reverse in (False, True)]


def cumsum_edges() -> list[Case]:
    fine, coarse, source = Quant(0.5, 3), Quant(3.0, -7), Source(1)
    found = [cumsum((2, 5, 4, 3), axis, way, (fine, coarse), source) for axis in (0, 1, 2, -1) for way in WAYS]
    found += [cumsum((1, 60), 1, way, (Quant(0.5, zero), coarse), source) for way in WAYS for zero in (-128, 0, 127)]
    scales = (2.0**-18, 0.5, 2.0**13, 2.0**33)
    return found + [cumsum((7,), 0, WAYS[0], (fine, Quant(scale, 5)), source) for scale in scales]


@st.composite
def cumsums(draw: DrawFn) -> Case:
    shape = draw(shapes(1, 4, largest=9))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    x = draw(quants())
    y = draw(quants(powers(-10, 18).map(lambda factor: x.scale / factor)))
    return cumsum(shape, axis, draw(st.sampled_from(WAYS)), (x, y), draw(sources()))


def draw_cumsum(draw: Draw) -> Op:
    shape = op_shape(draw)
    axis = Tensor("axis", (), DType.INT32, None, np.array(draw.number(0, len(shape) - 1), np.int32))
    x = draw.tensor("x", shape)
    scale = float(np.float32(x.scale * draw.power(-10, 8)))
    y = draw.tensor("y", shape, OpQuant((scale,), draw.quant().zero_points))
    return CumSum(0, (x, axis), (y,), *draw.pick(*WAYS))


@st.composite
def truths(draw: DrawFn, kind: str) -> Case:
    shape = draw(shapes(1, 5))
    axes = draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    return truth(kind, shape, axes, draw(st.booleans()), draw(sources()))


@st.composite
def reductions(draw: DrawFn, kind: str, dtype: str) -> Case:
    shape = draw(st.one_of(shapes(1, 5), shapes(4, 4, largest=9)))
    axes = draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    signed = [axis - draw(st.sampled_from([0, len(shape)])) for axis in axes]
    x = draw(quants_of(dtype))
    y = draw(quants_of(dtype, powers(-10, 3).map(lambda factor: x.scale / factor))) if kind in SCALED else x
    return reduce(kind, typed(shape, dtype, x), signed, draw(st.booleans()), y, draw(sources()))


@st.composite
def places(draw: DrawFn, kind: str, dtype: str, index: str) -> Case:
    shape = draw(shapes(1, 5))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    x = typed(shape, dtype, draw(quants_of(dtype)))
    return place(kind, x, draw(st.sampled_from([[axis], axis])), index, draw(sources()))


def quants_of(dtype: str, scales: SearchStrategy[float] | None = None) -> SearchStrategy[Quant]:
    """Draw a quantisation; int16 has no zero point."""
    chosen = powers(-12, 3) if scales is None else scales
    return st.builds(Quant, chosen) if dtype == "int16" else quants(chosen, LOWEST[dtype])


# --- operators ------------------------------------------------------------------------------------


def element(draw: Draw, dtype: DType) -> OpQuant:
    return draw.quant(zero=0) if dtype is DType.INT16 else draw.quant()


def axes_of(draw: Draw, rank: int) -> tuple[int, ...]:
    """Anything, often what rows and parts of rows allow."""
    anything = tuple(a for a in range(rank) if draw.number(0, 1)) or (rank - 1,)
    return draw.pick(anything, (rank - 1,), tuple(range(max(rank - 2, 0), rank)), (max(rank - 2, 0),))


def op_shape(draw: Draw) -> Shape:
    return draw.pick((1, *host.shape(draw, 3, 3, 7)), host.shape(draw, 1, 5, 5))


def drawn(draw: Draw, cls: type[Reduction], dtype: DType, index: DType = DType.INT32) -> Op:
    shape = op_shape(draw)
    axes = axes_of(draw, len(shape))[:1] if issubclass(cls, ArgExtreme) else axes_of(draw, len(shape))
    keep = not issubclass(cls, ArgExtreme) and draw.number(0, 1) == 1
    x = Tensor("x", shape, dtype, None if dtype is DType.BOOL else element(draw, dtype))
    table = Tensor("axes", (len(axes),), DType.INT32, None, np.array(axes, np.int32))
    output = reduced(shape, axes, keep)
    if issubclass(cls, ArgExtreme):
        return cls(0, (x, table), (Tensor("y", output, index),), axes, False)
    if issubclass(cls, (ReduceExtreme, ReduceAll, ReduceAny)):
        return cls(0, (x, table), (Tensor("y", output, dtype, x.quant),), axes, keep)
    assert issubclass(cls, ScaledSum)
    scale = float(np.float32(x.scale * draw.power(-4, draw.pick(0, 4, 8))))
    y = Tensor("y", output, dtype, OpQuant((scale,), element(draw, dtype).zero_points))
    return cls(0, (x, table), (y,), axes, keep, draw.rounding())


def _drawn(cls: type[Reduction], dtype: str, index: str = "int32") -> Callable[[Draw], Op]:
    return partial(drawn, cls=cls, dtype=DType(dtype), index=DType(index))


CLASSES: Mapping[str, type[Reduction]] = {
    "SUM": Sum, "MEAN": Mean, "REDUCE_MAX": ReduceMax, "REDUCE_MIN": ReduceMin, "ARG_MAX": ArgMax, "ARG_MIN": ArgMin,
}  # fmt: skip


def _row(kind: str, dtype: str) -> Row:
    kernel = None if dtype == "uint8" else _drawn(CLASSES[kind], dtype)
    foreign = dtype == "uint8" or (dtype == "int16" and kind not in SCALED)
    return Row(partial(edges, kind, dtype), reductions(kind, dtype), kernel, "litert" if foreign else "tflm")


def _place_row(kind: str, dtype: str, index: str) -> Row:
    kernel = None if dtype == "uint8" else _drawn(CLASSES[kind], dtype, index)
    golden = "tflm" if (dtype, index) == ("int8", "int32") else "litert"
    return Row(partial(place_edges, kind, dtype, index), places(kind, dtype, index), kernel, golden)


def _truth_row(kind: str, cls: type[Reduction], golden: str) -> Row:
    return Row(partial(truth_edges, kind), truths(kind), _drawn(cls, "bool"), golden)


def _key(kind: str, dtype: str, rest: str = "") -> str:
    return " ".join(filter(None, (kind, "" if dtype == "int8" else dtype, rest)))


ROWS: Mapping[str, Row] = {
    **{
        _key(kind, dtype): _row(kind, dtype)
        for kind in (*SCALED, *EXTREMES)
        for dtype in ("int8", "int16", "uint8")
        if (kind, dtype) != ("MEAN", "int8")
    },
    "CUMSUM": Row(cumsum_edges, cumsums(), draw_cumsum, streams=False),
    "MEAN any axes": _row("MEAN", "int8"),
    "REDUCE_ALL": _truth_row("REDUCE_ALL", ReduceAll, "tflm"),
    "REDUCE_ANY": _truth_row("REDUCE_ANY", ReduceAny, "litert"),
    **{
        _key(kind, dtype, rest): _place_row(kind, dtype, index)
        for kind in PLACES
        for dtype, rest, index in (("int8", "", "int32"), ("int8", "to int64", "int64"), ("uint8", "", "int32"))
    },
}  # fmt: skip
