"""Operators that move values and change none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.frontend import parse
from tecompile.graph import DType, Op, Tensor
from tecompile.ops.blocks import DepthToSpace, SpaceToDepth
from tecompile.ops.gather import Gather
from tecompile.ops.repeat import BroadcastTo, Tile
from tecompile.ops.transpose import ReverseV2, Transpose
from tests.host.ops import Draw, shape
from tests.tools.cases import Case, Shape, Source
from tests.tools.random_ops import sources
from tests.tools.tflite_writer import TensorSpec

from . import movement_borders, movement_parts
from .moves import TFLM, axes_of, case, constant, inputs, moved, scalar, table, tensor
from .row import Row

LITERT = ("uint8", "int32")  # what only LiteRT moves

# --- other shapes ---------------------------------------------------------------------------------


def expand_dims(x: TensorSpec, axis: int, source: Source | None = None) -> Case:
    return case("EXPAND_DIMS", [x, table(axis)], [np.expand_dims(np.empty(x.shape), axis).shape], {}, source)


@st.composite
def any_expand_dims(draw: DrawFn, dtypes: Sequence[str] = TFLM) -> Case:
    x, source = draw(inputs(dtypes))
    return expand_dims(x, draw(st.integers(-len(x.shape) - 1, len(x.shape))), source)


def squeeze(x: TensorSpec, dims: Sequence[int], source: Source | None = None) -> Case:
    """No `dims`: all axes of size 1."""
    return case("SQUEEZE", [x], [np.squeeze(np.empty(x.shape), dims or None).shape], {"squeeze_dims": dims}, source)


@st.composite
def any_squeeze(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, *LITERT)) -> Case:
    x, source = draw(inputs(dtypes, largest=3))
    ones = [i - draw(st.sampled_from([0, len(x.shape)])) for i, n in enumerate(x.shape) if n == 1]
    return squeeze(x, tuple(draw(st.lists(st.sampled_from(ones), unique_by=lambda i: i % 9)) if ones else ()), source)


def reshape(x: TensorSpec, y: Shape, source: Source | None = None) -> Case:
    return case("RESHAPE", [x, table(*y)], [y], {}, source)


@st.composite
def any_reshape(draw: DrawFn, dtypes: Sequence[str] = ("uint8", "int16", "int32")) -> Case:
    x, source = draw(inputs(dtypes))
    return reshape(x, (*draw(st.permutations(x.shape)), 1), source)


# --- other orders ---------------------------------------------------------------------------------


def transpose(x: TensorSpec, order: Sequence[int], source: Source | None = None) -> Case:
    return case("TRANSPOSE", [x, table(*order)], [tuple(x.shape[i] for i in order)], {}, source)


@st.composite
def any_transpose(draw: DrawFn, dtypes: Sequence[str] = TFLM, most: int = 5, negative: bool = False) -> Case:
    x, source = draw(inputs(dtypes, 1, most))
    order = draw(st.permutations(range(len(x.shape))))
    return transpose(x, [n - len(order) if negative and draw(st.booleans()) else n for n in order], source)


def transpose_edges(dtype: str = "int8") -> Sequence[Case]:
    """NHWC to NCHW and back, a channel shuffle, rows and columns swapped, views."""
    image, orders = tensor((1, 5, 7, 12), dtype), ((0, 3, 1, 2), (0, 2, 3, 1), (0, 2, 1, 3), (0, 1, 2, 3))
    shuffle = transpose(tensor((1, 3, 5, 2, 9), dtype), (0, 1, 2, 4, 3))
    view = transpose(tensor((1, 5, 1, 7), dtype), (2, 1, 0, 3))
    return [*(transpose(image, order) for order in orders), shuffle, view, transpose(tensor((11,), dtype), (0,))]


def reverse(x: TensorSpec, axes: Sequence[int], source: Source | None = None) -> Case:
    return case("REVERSE_V2", [x, table(*axes)], [x.shape], {}, source)


@st.composite
def any_reverse(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, *LITERT)) -> Case:
    x, source = draw(inputs(dtypes))
    first = draw(st.integers(0, len(x.shape) - 1))
    return reverse(x, range(first, draw(st.integers(first, len(x.shape) - 1)) + 1), source)


def space_to_depth(x: TensorSpec, block: int, source: Source | None = None) -> Case:
    batch, rows, columns, channels = x.shape
    y = (batch, rows // block, columns // block, channels * block**2)
    return case("SPACE_TO_DEPTH", [x], [y], {"block_size": block}, source)


def depth_to_space(x: TensorSpec, block: int, source: Source | None = None) -> Case:
    batch, rows, columns, channels = x.shape
    y = (batch, rows * block, columns * block, channels // block**2)
    return case("DEPTH_TO_SPACE", [x], [y], {"block_size": block}, source)


@st.composite
def any_blocks(draw: DrawFn, to_depth: bool, dtypes: Sequence[str] = ("int8",)) -> Case:
    block, dtype = draw(st.integers(1, 4)), draw(st.sampled_from(dtypes))
    batch, rows, columns, channels = draw(st.tuples(*[st.integers(1, n) for n in (2, 4, 4, 5)]))
    if to_depth:
        x = tensor((batch, rows * block, columns * block, channels), dtype)
        return space_to_depth(x, block, draw(sources()))
    return depth_to_space(tensor((batch, rows, columns, channels * block**2), dtype), block, draw(sources()))


# --- repeated -------------------------------------------------------------------------------------


def tile_edges() -> list[Case]:
    """The later ones have more axes than one kernel walks."""
    return [
        tile(tensor((1, 3, 4, 2)), (1, 2, 3, 2)),
        tile(tensor((2, 2, 2, 1)), (2, 2, 2, 2)),
        tile(tensor((2, 3, 2, 2)), (2, 3, 2, 3)),
        tile(tensor((2, 1, 2, 2, 2, 2), "int32"), (2, 2, 3, 1, 2, 2)),
    ]


def tile(x: TensorSpec, counts: Sequence[int], source: Source | None = None) -> Case:
    return case("TILE", [x, table(*counts)], [np.tile(np.empty(x.shape), counts).shape], {}, source)


@st.composite
def any_tile(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, *LITERT)) -> Case:
    x, source = draw(inputs(dtypes, largest=4))
    return tile(x, draw(st.lists(st.integers(1, 3), min_size=len(x.shape), max_size=len(x.shape))), source)


def broadcast_to(x: TensorSpec, y: Shape, source: Source | None = None) -> Case:
    return case("BROADCAST_TO", [x, table(*y)], [y], {}, source)


@st.composite
def any_broadcast(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, *LITERT)) -> Case:
    x, source = draw(inputs(dtypes, largest=4))
    y = x.shape
    thin = tuple(draw(st.sampled_from([n, 1])) for n in y)[draw(st.integers(0, len(y) - 1)) :]
    return broadcast_to(replace(x, shape=thin), y, source)


# --- chosen ---------------------------------------------------------------------------------------


def gather(x: TensorSpec, places: TensorSpec, axis: int, batches: int = 0, source: Source | None = None) -> Case:
    along = axis % len(x.shape)
    y = (*x.shape[:along], *places.shape[batches:], *x.shape[along + 1 :])
    return case("GATHER", [x, places], [y], {"axis": axis, "batch_dims": batches}, source)


@st.composite
def any_gather(draw: DrawFn, dtypes: Sequence[str] = ("int8",)) -> Case:
    x, source = draw(inputs(dtypes))
    axis = draw(axes_of(x.shape))
    batches = draw(st.sampled_from([0, 0, draw(st.integers(0, axis % len(x.shape)))]))
    more = draw(st.lists(st.integers(1, 4), min_size=0, max_size=min(2, 4 - batches)))
    rng = np.random.default_rng(source.seed)
    places = rng.integers(0, x.shape[axis], (*x.shape[:batches], *more), dtype=np.int32)
    return gather(x, TensorSpec(places.shape, "int32", data=places), axis, batches, source)


@st.composite
def any_fed_gather(draw: DrawFn) -> Case:
    """The places are an input, of constants now and then."""
    known = draw(any_gather())
    model = parse(known.model, "known").ops[0]
    assert isinstance(model, Gather) and model.table is not None
    x, places = (
        TensorSpec(t.shape, t.dtype.value, *spec) for t, spec in zip(model.inputs, ((0.5, -7), ()), strict=True)
    )
    values = Source(draw(st.integers(0, 99))).integers(x.shape)
    x = replace(x, data=values) if draw(st.booleans()) else x
    fed = case("GATHER", [x, places], [model.y.shape], {"axis": model.axis, "batch_dims": model.batches}, like=x)
    return replace(fed, inputs=(*(() if x.data is not None else (values,)), model.table))


def gather_edges() -> Sequence[Case]:
    image = tensor((1, 6, 5, 4))
    along = [gather(image, table(3, 0, 3, 1), axis) for axis in (1, 2, 3)]
    slices = [gather(image, places, 3) for places in (table(1, 3), table(0, 1, 2, 3), table(2), scalar(1))]
    return [*along, *slices, gather(tensor((30,)), table(5, 2, 9), 0), gather(tensor((7, 3)), table(5, 2, 5), 0)]


# --- their kernels --------------------------------------------------------------------------------


def draw_transpose(draw: Draw) -> Op:
    x = moved(draw, "x", draw.pick((1, *shape(draw, 3, 3)), shape(draw), shape(draw, 5, 6, 3)))
    order = [int(i) for i in draw.rng.permutation(len(x.shape))]
    if len(order) > 1 and draw.number(0, 1):  # what leaves rows in their place may be done row by row
        order = [*range(len(order) - 2), len(order) - 1, len(order) - 2]
    y = replace(x, name="y", shape=tuple(x.shape[i] for i in order))
    return Transpose(0, (x, constant("order", order)), (y,))


def draw_reverse(draw: Draw) -> Op:
    x = moved(draw, "x", shape(draw))
    first = draw.number(0, len(x.shape) - 1)
    axes = range(first, draw.number(first, len(x.shape) - 1) + 1)
    return ReverseV2(0, (x, constant("axes", axes)), (replace(x, name="y"),))


def draw_blocks(draw: Draw) -> Op:
    block, (batch, rows, columns, channels) = draw.number(1, 3), (draw.pick(1, 1, 2), *shape(draw, 3, 3, 5))
    dtype = draw.pick(DType.INT8, DType.INT32)
    pixels = moved(draw, "x", (batch, rows * block, columns * block, channels), dtype)
    blocks = replace(pixels, shape=(batch, rows, columns, channels * block**2))
    if draw.number(0, 1):
        return SpaceToDepth(0, (pixels,), (replace(blocks, name="y"),), block)
    return DepthToSpace(0, (blocks,), (replace(pixels, name="y"),), block)


def draw_tile(draw: Draw) -> Op:
    x = moved(draw, "x", draw.pick((1, *shape(draw, 3, 3, 4)), shape(draw, largest=4)))
    counts = [draw.pick(1, 1, 2, 3) for _ in x.shape]
    y = replace(x, name="y", shape=tuple(n * count for n, count in zip(x.shape, counts, strict=True)))
    return Tile(0, (x, constant("counts", counts)), (y,))


def draw_broadcast(draw: Draw) -> Op:
    y = moved(draw, "y", draw.pick((1, *shape(draw, 3, 3)), shape(draw)))
    thin = tuple(draw.pick(n, 1) for n in y.shape)[draw.number(0, len(y.shape) - 1) :]
    return BroadcastTo(0, (replace(y, name="x", shape=thin), constant("shape", y.shape)), (y,))


def draw_fed_gather(draw: Draw) -> Op:
    """Places outside the tensor, too; of constants now and then."""
    known = draw_gather(draw)
    x, places = known.x, Tensor("places", (known.y.shape[known.axis],), DType.INT32)
    if draw.number(0, 1):
        low, high = x.dtype.bounds
        x = replace(x, data=draw.rng.integers(low, high, x.shape, x.dtype.value, endpoint=True))
    return replace(known, inputs=(x, places))


def draw_gather(draw: Draw) -> Gather:
    """Along rows, columns or channels; all else becomes that."""
    x = moved(draw, "x", draw.pick((1, *shape(draw, 3, 3)), shape(draw, 3, 5)))
    axis = draw.number(0, len(x.shape) - 1)
    places = [draw.number(0, x.shape[axis] - 1) for _ in range(draw.number(1, 7))]
    y = replace(x, name="y", shape=(*x.shape[:axis], len(places), *x.shape[axis + 1 :]))
    return Gather(0, (x, constant("places", places)), (y,), axis)


ROWS: Mapping[str, Row] = {
    "EXPAND_DIMS": Row(lambda: [expand_dims(tensor((4, 3)), axis) for axis in (-3, 0, 1, 2)], any_expand_dims()),
    "RESHAPE wide": Row(tuple, any_reshape(), streams=False),
    "SQUEEZE": Row(lambda: [squeeze(tensor((1, 4, 1, 3, 1)), dims) for dims in ((), (0,), (2, -1))], any_squeeze()),
    "TRANSPOSE": Row(lambda: [*transpose_edges(), *transpose_edges("int16")], any_transpose(), draw_transpose),
    "TRANSPOSE litert": Row(tuple, any_transpose(LITERT, 6, negative=True), golden="litert"),
    "REVERSE_V2": Row(
        lambda: [reverse(tensor((1, 5, 4, 3)), (a,)) for a in (-1, 0, 1, 2)], any_reverse(), draw_reverse
    ),
    "SPACE_TO_DEPTH": Row(lambda: [space_to_depth(tensor((1, 6, 4, 3)), 2)], any_blocks(True), draw_blocks),
    "SPACE_TO_DEPTH litert": Row(tuple, any_blocks(True, LITERT), golden="litert"),
    "DEPTH_TO_SPACE": Row(lambda: [depth_to_space(tensor((1, 3, 4, 8)), 2)], any_blocks(False)),
    "DEPTH_TO_SPACE litert": Row(tuple, any_blocks(False, LITERT), golden="litert"),
    "TILE": Row(tile_edges, any_tile(), draw_tile, "litert"),
    "BROADCAST_TO": Row(lambda: [broadcast_to(tensor((3, 1)), (2, 2, 2, 3, 4))], any_broadcast(), draw_broadcast),
    "GATHER": Row(gather_edges, any_gather(), draw_gather),
    "GATHER fed": Row(tuple, any_fed_gather(), draw_fed_gather, streams=False),
    "GATHER litert": Row(tuple, any_gather((*LITERT, "int16")), golden="litert"),
    **movement_parts.ROWS,
    **movement_borders.ROWS,
}
