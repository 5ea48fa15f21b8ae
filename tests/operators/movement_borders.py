"""Operators that put borders around images, and move pixels between images of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.graph import Op
from tecompile.ops.pad import PadV2
from tecompile.ops.strided import Rearrange
from tecompile.ops.traversal import Axis, Traversal
from tests.host.ops import Draw, shape
from tests.tools.cases import Case, Pair, Source
from tests.tools.random_ops import sources
from tests.tools.tflite_writer import OptionValue, TensorSpec

from .moves import TFLM, case, constant, inputs, moved, pairs_table, table, tensor
from .row import Row

LITERT = ("uint8", "int32")
MODES = {0: "reflect", 1: "symmetric"}


def grown(x: TensorSpec, amounts: Sequence[Pair]) -> tuple[int, ...]:
    return tuple(n + sum(pair) for n, pair in zip(x.shape, amounts, strict=True))


def pad(x: TensorSpec, amounts: Sequence[Pair], source: Source | None = None) -> Case:
    return case("PAD", [x, pairs_table(amounts)], [grown(x, amounts)], {}, source)


def pad_v2(x: TensorSpec, amounts: Sequence[Pair], value: int, source: Source | None = None) -> Case:
    filler = replace(x, shape=(1,), data=np.array([value], x.dtype))
    return case("PADV2", [x, pairs_table(amounts), filler], [grown(x, amounts)], {}, source)


@st.composite
def any_pad(draw: DrawFn, dtypes: Sequence[str] = ("int16", "int32")) -> Case:
    x, source = draw(inputs(dtypes))
    return pad(x, [draw(_amounts()) for _ in x.shape], source)


def _amounts(most: int = 3) -> st.SearchStrategy[Pair]:
    return st.sampled_from([(0, 0)]) | st.tuples(st.integers(0, most), st.integers(0, most))


@st.composite
def any_pad_v2(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, "int32")) -> Case:
    x, source = draw(inputs(dtypes))
    info = np.iinfo(x.dtype)
    return pad_v2(x, [draw(_amounts()) for _ in x.shape], draw(st.integers(int(info.min), int(info.max))), source)


def mirror_pad(x: TensorSpec, amounts: Sequence[Pair], mode: int, source: Source | None = None) -> Case:
    return case("MIRROR_PAD", [x, pairs_table(amounts)], [grown(x, amounts)], {"mode": mode}, source)


@st.composite
def any_mirror_pad(draw: DrawFn, dtypes: Sequence[str] = ("int8",)) -> Case:
    x, source = draw(inputs(dtypes))
    mode = draw(st.sampled_from([0, 1]))
    return mirror_pad(x, [draw(_amounts(min(3, n - 1 + mode))) for n in x.shape], mode, source)


def space_to_batch(x: TensorSpec, block: Sequence[int], amounts: Sequence[Pair], source: Source | None = None) -> Case:
    batch, *sizes, channels = x.shape
    inner = ((n + sum(pair)) // b for n, pair, b in zip(sizes, amounts, block, strict=True))
    y = (batch * prod(block), *inner, channels)
    return case("SPACE_TO_BATCH_ND", [x, table(*block), pairs_table(amounts)], [y], {}, source)


def batch_to_space(x: TensorSpec, block: Sequence[int], crops: Sequence[Pair], source: Source | None = None) -> Case:
    batch, *sizes, channels = x.shape
    inner = (n * b - sum(pair) for n, pair, b in zip(sizes, crops, block, strict=True))
    y = (batch // prod(block), *inner, channels)
    return case("BATCH_TO_SPACE_ND", [x, table(*block), pairs_table(crops)], [y], {}, source)


@st.composite
def any_space_to_batch(draw: DrawFn, dtypes: Sequence[str] = ("int8",)) -> Case:
    """Sizes are what paddings leave of multiples of the block."""
    axes, dtype = draw(st.integers(1, 2)), draw(st.sampled_from(dtypes))
    block = [draw(st.integers(1, 3)) for _ in range(axes)]
    amounts = [draw(_amounts()) for _ in range(axes)]
    sizes = [
        -(-(sum(pair) + draw(st.integers(1, 5))) // b) * b - sum(pair) for pair, b in zip(amounts, block, strict=True)
    ]
    x = tensor((draw(st.integers(1, 2)), *sizes, draw(st.integers(1, 4))), dtype)
    return space_to_batch(x, block, amounts, draw(sources()))


@st.composite
def any_batch_to_space(draw: DrawFn, dtypes: Sequence[str] = ("int8",)) -> Case:
    axes, dtype = draw(st.integers(1, 2)), draw(st.sampled_from(dtypes))
    block = [draw(st.integers(1, 3)) for _ in range(axes)]
    sizes = [draw(st.integers(1, 4)) for _ in range(axes)]
    firsts = [draw(st.integers(0, n * b - 1)) for n, b in zip(sizes, block, strict=True)]
    crops = [(f, draw(st.integers(0, n * b - 1 - f))) for f, n, b in zip(firsts, sizes, block, strict=True)]
    x = tensor((draw(st.integers(1, 2)) * prod(block), *sizes, draw(st.integers(1, 4))), dtype)
    return batch_to_space(x, block, crops, draw(sources()))


def resize_nearest(x: TensorSpec, size: Pair, align: bool, half: bool, source: Source | None = None) -> Case:
    options: dict[str, OptionValue] = {"align_corners": align, "half_pixel_centers": half}
    return case("RESIZE_NEAREST_NEIGHBOR", [x, table(*size)], [(x.shape[0], *size, x.shape[3])], options, source)


@st.composite
def any_resize_nearest(draw: DrawFn, dtypes: Sequence[str] = ("int16",)) -> Case:
    x, source = draw(inputs(dtypes, 4))
    size = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    return resize_nearest(x, size, draw(st.booleans()), draw(st.booleans()), source)


def draw_pad_v2(draw: Draw) -> Op:
    x = moved(draw, "x", draw.pick((1, *shape(draw, 3, 3)), shape(draw)))
    amounts = tuple((draw.number(0, 3), draw.number(0, 9)) if draw.number(0, 1) else (0, 0) for _ in x.shape)
    y = replace(x, name="y", shape=tuple(n + a + b for n, (a, b) in zip(x.shape, amounts, strict=True)))
    low, high = x.dtype.bounds
    filler = replace(x, name="value", shape=(1,), data=draw.rng.integers(low, high, 1, x.dtype.value, endpoint=True))
    numbers = [n for pair in amounts for n in pair]
    return PadV2(0, (x, constant("amounts", numbers, len(amounts), 2), filler), (y,), amounts)


def draw_rearrange(draw: Draw) -> Op:
    """What SPACE_TO_BATCH_ND and others become, here with shuffled channels."""
    rows, columns, groups, size, piece = (draw.number(1, n) for n in (4, 5, 3, 4, 3))
    channels = groups * size * piece
    x = moved(draw, "x", (1, rows, columns, channels))
    shuffled = (Axis(rows * columns, channels), Axis(size, piece), Axis(groups, size * piece), Axis(piece, 1))
    return Rearrange(0, (x,), (replace(x, name="y"),), Traversal(0, shuffled))


IMAGE = tensor((1, 5, 4, 3))
AROUND = [(0, 0), (2, 3), (3, 1), (0, 0)]

ROWS: Mapping[str, Row] = {
    "PAD wide": Row(lambda: [pad(tensor((1, 3, 4, 5), "int16"), AROUND)], any_pad()),
    "PAD litert": Row(tuple, any_pad(("uint8",)), golden="litert"),
    "RESIZE_NEAREST_NEIGHBOR int16": Row(tuple, any_resize_nearest()),
    "RESIZE_NEAREST_NEIGHBOR litert": Row(tuple, any_resize_nearest(("uint8",)), golden="litert"),
    "PADV2": Row(lambda: [pad_v2(IMAGE, AROUND, value) for value in (-128, -7, 127)], any_pad_v2(), draw_pad_v2),
    "PADV2 litert": Row(tuple, any_pad_v2(("uint8",)), golden="litert"),
    "MIRROR_PAD": Row(lambda: [mirror_pad(IMAGE, AROUND, mode) for mode in MODES], any_mirror_pad()),
    "MIRROR_PAD litert": Row(tuple, any_mirror_pad((*LITERT, "int16")), golden="litert"),
    "SPACE_TO_BATCH_ND": Row(
        lambda: [space_to_batch(tensor((1, 5, 4, 3)), (2, 3), [(1, 2), (2, 0)])], any_space_to_batch(), draw_rearrange
    ),
    "SPACE_TO_BATCH_ND litert": Row(tuple, any_space_to_batch(LITERT), golden="litert"),
    "BATCH_TO_SPACE_ND": Row(
        lambda: [batch_to_space(tensor((6, 5, 4, 3)), (2, 3), [(1, 2), (2, 0)])], any_batch_to_space()
    ),
    "BATCH_TO_SPACE_ND litert": Row(tuple, any_batch_to_space(LITERT), golden="litert"),
}
