"""Random MUL, CONCATENATION, RESIZE_NEAREST_NEIGHBOR, LOGISTIC, STRIDED_SLICE, and ADD and PAD of images with more
cases: what ops.py adds to its own kinds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tecompile.graph import DType, Op, Quant, Tensor
from tecompile.ops.add import Add
from tecompile.ops.concatenation import Concatenation
from tecompile.ops.logistic import Logistic
from tecompile.ops.mul import Mul
from tecompile.ops.pad import Pad
from tecompile.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tecompile.ops.strided_slice import StridedSlice

if TYPE_CHECKING:
    from .ops import Draw

Shape = tuple[int, ...]


def shape(draw: Draw, least: int = 1, most: int = 4, largest: int = 6) -> Shape:
    return tuple(draw.number(1, largest) for _ in range(draw.number(least, most)))


def mul(draw: Draw) -> Op:
    shapes = operand_shapes(draw, draw.pick(shape(draw), (1, *shape(draw, 3, 3)), shape(draw, 5, 6, 3)))
    y_shape = np.broadcast_shapes(*shapes)
    tensors = [draw.tensor(name, s) for name, s in zip("ab", shapes, strict=True)]
    if draw.number(0, 2) == 0:
        index = draw.number(0, 1)
        tensors[index] = draw.constant("c", shapes[index], draw.quant())
    elif tensors[0].shape == tensors[1].shape and draw.number(0, 5) == 0:
        tensors[1] = tensors[0]
    factor = draw.power(*draw.pick((-11, -4), (-11, -4), (-31, 13)))
    quant = Quant((float(np.float32(tensors[0].scale * tensors[1].scale / factor)),), draw.quant().zero_points)
    return Mul(0, tuple(tensors), (draw.tensor("y", y_shape, quant),), draw.clamp(), draw.rounding())


def operand_shapes(draw: Draw, full: Shape) -> list[Shape]:
    """Two shapes that broadcast: alike, a factor for each channel or pixel, a suffix, anything."""
    kind = draw.pick("same", "same", "channel", "pixel", "suffix", "any", "both")
    thin = {
        "same": full,
        "channel": (1,) * (len(full) - 1) + full[-1:],
        "pixel": (*full[:-1], 1),
        "suffix": full[draw.number(0, len(full)) :],
    }.get(kind, tuple(draw.pick(n, 1) for n in full)[draw.number(0, len(full) - 1) :])
    other = tuple(draw.pick(n, n, 1) for n in full) if kind == "both" else full
    return draw.pick([thin, other], [other, thin])


def add_image(draw: Draw) -> Op:
    """Both operands computed at run time; either may repeat."""
    shapes = operand_shapes(draw, draw.pick((1, *shape(draw, 3, 3)), shape(draw, 3, 3)))
    tensors = [draw.tensor(name, s) for name, s in zip("ab", shapes, strict=True)]
    larger = max(t.scale for t in tensors)
    quant = Quant((float(np.float32(larger / draw.power(-8, draw.pick(3, 17)))),), draw.quant().zero_points)
    y = draw.tensor("y", np.broadcast_shapes(*shapes), quant)
    return Add(0, tuple(tensors), (y,), draw.clamp(), draw.rounding())


def pad_image(draw: Draw) -> Op:
    """Along channels, and often along rows and columns."""
    x = draw.tensor("x", draw.pick((1, *shape(draw, 3, 3)), shape(draw, 3, 3), (1, 1, *shape(draw, 3, 3))))
    rows, columns = ((draw.number(0, 3), draw.number(0, 3)) if draw.number(0, 1) else (0, 0) for _ in range(2))
    channels = (draw.number(0, 9), draw.number(0, 9))
    amounts = (*(((0, 0),) * (len(x.shape) - 3)), rows, columns, channels)
    grown = tuple(n + a + b for n, (a, b) in zip(x.shape, amounts, strict=True))
    table = Tensor("amounts", (len(amounts), 2), DType.INT32, None, np.array(amounts, np.int32))
    return Pad(0, (x, table), (draw.tensor("y", grown, x.quant),), amounts)


def concatenation(draw: Draw) -> Op:
    base, quant = draw.pick(shape(draw), (1, *shape(draw, 3, 3))), draw.quant()
    axis, count = draw.number(0, len(base) - 1), draw.pick(1, 2, 2, 3, 4, draw.number(5, 16))
    sizes = [draw.number(1, 5) for _ in range(count)]
    shapes = [(*base[:axis], size, *base[axis + 1 :]) for size in sizes]
    parts = [
        draw.constant(f"c{i}", s, quant) if i and draw.number(0, 4) == 0 else draw.tensor(f"x{i}", s, quant)
        for i, s in enumerate(shapes)
    ]
    if count > 1 and draw.number(0, 3) == 0:
        parts[-1] = parts[0]
    total = sum(t.shape[axis] for t in parts)
    y = draw.tensor("y", (*base[:axis], total, *base[axis + 1 :]), quant)
    return Concatenation(0, tuple(parts), (y,), axis, "NONE")


def resize_nearest(draw: Draw) -> Op:
    rows, columns, channels = draw.number(1, 12), draw.number(1, 12), draw.number(1, 9)
    wanted = draw.pick((2 * rows, 2 * columns), (draw.number(1, 20), draw.number(1, 20)))
    batch = draw.pick(1, 1, 2)
    x = draw.tensor("x", (batch, rows, columns, channels))
    size = Tensor("size", (2,), DType.INT32, None, np.array(wanted, np.int32))
    y = draw.tensor("y", (batch, *wanted, channels), x.quant)
    return ResizeNearestNeighbor(0, (x, size), (y,), draw.number(0, 1) == 1, draw.number(0, 1) == 1)


def logistic(draw: Draw) -> Op:
    x = draw.tensor("x", shape(draw), draw.quant(-10, 4))
    return Logistic(0, (x,), (draw.tensor("y", x.shape, Quant((1 / 256,), (-128,))),))


def strided_slice(draw: Draw) -> Op:
    x = draw.tensor("x", draw.pick(shape(draw), (1, *shape(draw, 3, 3)), shape(draw, 5, 6, 3)))
    bounds, image = [], len(x.shape) == 4 and draw.number(0, 1) == 1
    for size in x.shape:
        start, stop = sorted((draw.number(0, size - 1), draw.number(0, size - 1)))
        step = draw.pick(1, 1, 2, 3)
        down = not image and draw.number(0, 3) == 0
        bounds.append((stop, start - size - 1, -step) if down else (start, stop + 1, step))
    shrink = 0 if image else sum(draw.pick(0, 0, 1) << i for i, (_, _, step) in enumerate(bounds) if step > 0)
    tables = [
        Tensor(f"table{i}", (len(bounds),), DType.INT32, None, np.array(column, np.int32))
        for i, column in enumerate(zip(*bounds, strict=True))
    ]
    op = StridedSlice(0, (x, *tables), (x,), 0, 0, 0, 0, shrink)
    y_shape = np.empty(x.shape, np.int8)[op.slices()].shape
    return replace(op, outputs=(draw.tensor("y", y_shape, x.quant),))


MORE_KINDS: Mapping[str, Callable[[Draw], Op]] = {
    "add_image": add_image,
    "concatenation": concatenation,
    "logistic": logistic,
    "mul": mul,
    "pad_image": pad_image,
    "resize_nearest": resize_nearest,
    "strided_slice": strided_slice,
}
