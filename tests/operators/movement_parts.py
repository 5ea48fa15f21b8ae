"""Operators that take tensors apart, or put them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.graph import Op, Tensor
from tecompile.ops.concatenation import Concatenation
from tecompile.ops.strided_slice import StridedSlice
from tests.host.ops import Draw, shape
from tests.tools.cases import Case, Source
from tests.tools.random_ops import sources
from tests.tools.tflite_writer import OptionValue, TensorSpec

from .moves import TFLM, axes_of, case, constant, inputs, moved, scalar, table, tensor
from .row import Row

LITERT = ("uint8", "int32")
WIDE = ("int16", "int32")  # TFLM takes them, and int8 has rows of its own


# --- parts ----------------------------------------------------------------------------------------


def slice_part(x: TensorSpec, begin: Sequence[int], sizes: Sequence[int], source: Source | None = None) -> Case:
    y = tuple(n - b if s == -1 else s for n, b, s in zip(x.shape, begin, sizes, strict=True))
    return case("SLICE", [x, table(*begin), table(*sizes)], [y], {}, source)


@st.composite
def any_slice(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, "int32"), most: int = 5) -> Case:
    x, source = draw(inputs(dtypes, 1, most))
    begin = [draw(st.integers(0, n - 1)) for n in x.shape]
    sizes = [draw(st.sampled_from([-1, draw(st.integers(1, n - b))])) for n, b in zip(x.shape, begin, strict=True)]
    return slice_part(x, begin, sizes, source)


def split(x: TensorSpec, axis: int, parts: int, source: Source | None = None) -> Case:
    ys = [part.shape for part in np.split(np.empty(x.shape), parts, axis)]
    return case("SPLIT", [scalar(axis), x], ys, {"num_splits": parts}, source)


@st.composite
def any_split(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, "int32")) -> Case:
    x, source = draw(inputs(dtypes))
    axis, parts = draw(axes_of(x.shape)), draw(st.integers(1, 4))
    longer = tuple(n * parts if i == axis % len(x.shape) else n for i, n in enumerate(x.shape))
    return split(replace(x, shape=longer), axis, parts, source)


def split_v(x: TensorSpec, axis: int, sizes: Sequence[int], source: Source | None = None, unknown: int = -1) -> Case:
    """Size number `unknown` is left for the kernel to find out."""
    ys = [part.shape for part in np.split(np.empty(x.shape), np.cumsum(sizes)[:-1], axis)]
    asked = table(*(-1 if i == unknown else n for i, n in enumerate(sizes)))
    return case("SPLIT_V", [x, asked, scalar(axis)], ys, {"num_splits": len(ys)}, source)


@st.composite
def any_split_v(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, "int32")) -> Case:
    x, source = draw(inputs(dtypes))
    axis, sizes = draw(axes_of(x.shape)), draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    longer = tuple(sum(sizes) if i == axis % len(x.shape) else n for i, n in enumerate(x.shape))
    return split_v(replace(x, shape=longer), axis, sizes, source, draw(st.integers(-1, len(sizes) - 1)))


def unpack(x: TensorSpec, axis: int, source: Source | None = None) -> Case:
    along = axis % len(x.shape)
    y, count = (*x.shape[:along], *x.shape[along + 1 :]), x.shape[along]
    return case("UNPACK", [x], [y] * count, {"num": count, "axis": axis}, source)


@st.composite
def any_unpack(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, "int32")) -> Case:
    x, source = draw(inputs(dtypes, 2))
    return unpack(x, draw(axes_of(x.shape)), source)


@st.composite
def any_strided_slice(draw: DrawFn, dtypes: Sequence[str] = WIDE, most: int = 4, masks: bool = False) -> Case:
    """With `masks` also what only LiteRT takes: an ellipsis, new axes, fewer entries than axes."""
    x, source = draw(inputs(dtypes, 1, most))
    entries = [draw(st.sampled_from(["slice", "slice", "shrink"])) for _ in x.shape]
    if masks:
        cut = draw(st.integers(0, len(entries) - 1))
        entries[cut : draw(st.integers(cut + 1, len(entries)))] = draw(
            st.sampled_from([["ellipsis"], ["ellipsis", "new"]])
        )
    return strided_slice(x, entries, np.random.default_rng(source.seed), source)


def strided_slice(x: TensorSpec, entries: Sequence[str], rng: np.random.Generator, source: Source) -> Case:
    axes = iter(range(len(x.shape)))
    left = len(x.shape) - sum(entry in ("slice", "shrink") for entry in entries)
    indices: list[slice | int | None] = []
    rows: list[tuple[int, int, int]] = []
    for entry in entries:
        if entry == "ellipsis":
            indices += [slice(None) for _ in range(left) if next(axes) >= 0]
            rows.append((0, 0, 1))
            continue
        size = 1 if entry == "new" else x.shape[next(axes)]
        rows.append(_bounds(rng, size, down=entry == "slice"))
        begin, end, step = rows[-1]
        indices.append({"new": None, "shrink": begin, "slice": slice(begin, None if end < -size else end, step)}[entry])
    y = np.empty(x.shape)[tuple(indices)].shape
    options: dict[str, OptionValue] = {
        f"{name}_mask": sum(1 << i for i, entry in enumerate(entries) if entry == kind)
        for name, kind in (("ellipsis", "ellipsis"), ("new_axis", "new"), ("shrink_axis", "shrink"))
    }
    return case("STRIDED_SLICE", [x, *(table(*column) for column in zip(*rows, strict=True))], [y], options, source)


def _bounds(rng: np.random.Generator, size: int, down: bool) -> tuple[int, int, int]:
    first, last = sorted(int(n) for n in rng.integers(0, size, 2))
    if down and rng.integers(0, 3) == 0:
        return last, first - size - 1, -int(rng.integers(1, 3))
    return first - int(rng.integers(0, 2)) * size, last + 1, int(rng.integers(1, 3)) if down else 1


def shrink_with_begin_mask() -> Case:
    """The begin of an axis that is dropped is not looked at, if it is masked."""
    options: dict[str, OptionValue] = {"begin_mask": 1, "shrink_axis_mask": 1}
    tables = [table(1, 1), table(2, 3), table(1, 1)]
    return case("STRIDED_SLICE", [tensor((2, 3), "int16"), *tables], [(2,)], options)


def relative_end() -> Case:
    tables = [table(1, 0, 2), table(1, 2, 2), table(1, 1, 1)]
    return case("STRIDED_SLICE", [tensor((2, 3, 4)), *tables], [(1, 2, 2)], {"offset": True})


# --- together -------------------------------------------------------------------------------------


def pack(parts: Sequence[TensorSpec], axis: int, source: Source | None = None) -> Case:
    y = np.stack([np.empty(part.shape) for part in parts], axis).shape
    return case("PACK", parts, [y], {"values_count": len(parts), "axis": axis}, source)


@st.composite
def any_pack(draw: DrawFn, dtypes: Sequence[str] = (*TFLM, "int32")) -> Case:
    x, source = draw(inputs(dtypes))
    parts = [_maybe_constant(draw, x) for _ in range(draw(st.integers(0, 3)))]
    return pack([x, *parts], draw(st.integers(-len(x.shape) - 1, len(x.shape))), source)


def _maybe_constant(draw: DrawFn, x: TensorSpec) -> TensorSpec:
    if draw(st.integers(0, 3)):
        return replace(x)
    return replace(x, data=draw(sources()).integers(x.shape, x.dtype))


def concatenation(parts: Sequence[TensorSpec], axis: int, source: Source | None = None) -> Case:
    y = np.concatenate([np.empty(part.shape) for part in parts], axis).shape
    return case("CONCATENATION", parts, [y], {"axis": axis}, source)


@st.composite
def any_concatenation(draw: DrawFn, dtypes: Sequence[str] = WIDE) -> Case:
    x, source = draw(inputs(dtypes))
    axis = draw(axes_of(x.shape))
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    shapes = [tuple(n if i == axis % len(x.shape) else m for i, m in enumerate(x.shape)) for n in sizes]
    others = [_maybe_constant(draw, replace(x, shape=shape)) for shape in shapes]
    return concatenation([x, *others], axis, source)


def other_scales() -> Case:
    """TFLM compares those of int8 only."""
    parts = [tensor((2, 3), "int16", scale) for scale in (0.5, 0.25)]
    return concatenation(parts, 1)


# --- their kernels --------------------------------------------------------------------------------


def draw_slice(draw: Draw) -> Op:
    """Any element size, falling and dropped axes."""
    x = moved(draw, "x", draw.pick((1, *shape(draw, 3, 3)), shape(draw), shape(draw, 5, 6, 3)))
    bounds = [_bounds(draw.rng, n, down=len(x.shape) != 4) for n in x.shape]
    shrink = 0 if len(x.shape) == 4 else sum(draw.pick(0, 0, 1) << i for i, b in enumerate(bounds) if b[2] > 0)
    tables = [constant(f"table{i}", column) for i, column in enumerate(zip(*bounds, strict=True))]
    op = StridedSlice(0, (x, *tables), (x,), 0, 0, 0, 0, shrink)
    return replace(op, outputs=(replace(x, name="y", shape=np.empty(x.shape)[op.slices()].shape),))


def draw_concatenation(draw: Draw) -> Op:
    x = moved(draw, "x0", draw.pick(shape(draw), (1, *shape(draw, 3, 3))))
    axis = draw.number(0, len(x.shape) - 1)
    parts = [x, *(_part(draw, f"x{i}", x, axis) for i in range(1, draw.number(1, 4)))]
    total = sum(t.shape[axis] for t in parts)
    y = replace(x, name="y", shape=(*x.shape[:axis], total, *x.shape[axis + 1 :]))
    return Concatenation(0, tuple(parts), (y,), axis, "NONE")


def _part(draw: Draw, name: str, x: Tensor, axis: int) -> Tensor:
    """Another input like x, sometimes a constant."""
    part = replace(x, name=name, shape=(*x.shape[:axis], draw.number(1, 5), *x.shape[axis + 1 :]))
    if draw.number(0, 3):
        return part
    low, high = x.dtype.bounds
    return replace(part, data=draw.rng.integers(low, high, part.shape, x.dtype.value, endpoint=True))


ROWS: Mapping[str, Row] = {
    "SLICE": Row(lambda: [slice_part(tensor((1, 4, 5, 6)), (0, 1, 2, 3), (-1, 2, -1, 2))], any_slice()),
    "SLICE litert": Row(tuple, any_slice(("uint8",), 5), golden="litert"),
    "SPLIT": Row(lambda: [split(tensor((2, 4, 6, 8)), axis, 2) for axis in (-1, 0, 1, 2)], any_split()),
    "SPLIT litert": Row(tuple, any_split(("uint8",)), golden="litert"),
    "SPLIT_V": Row(lambda: [split_v(tensor((1, 6, 4, 3)), 1, (1, 3, 2), None, 1)], any_split_v()),
    "SPLIT_V litert": Row(tuple, any_split_v(("uint8",)), golden="litert"),
    "UNPACK": Row(lambda: [unpack(tensor((2, 3, 4, 5)), axis) for axis in (-1, 0, 1, 2)], any_unpack()),
    "UNPACK litert": Row(tuple, any_unpack(("uint8",)), golden="litert"),
    "STRIDED_SLICE wide": Row(lambda: [shrink_with_begin_mask()], any_strided_slice(), draw_slice),
    "STRIDED_SLICE litert": Row(
        lambda: [relative_end()], any_strided_slice(("int8", "uint8"), 5, masks=True), golden="litert"
    ),
    "PACK": Row(lambda: [pack([tensor((3, 4))] * 2, axis) for axis in (-3, -1, 0, 1)], any_pack()),
    "PACK litert": Row(tuple, any_pack(("uint8",)), golden="litert"),
    "CONCATENATION wide": Row(lambda: [other_scales()], any_concatenation(), draw_concatenation),
    "CONCATENATION litert": Row(tuple, any_concatenation(("uint8",)), golden="litert"),
}
