"""Turn SPACE_TO_BATCH_ND, a convolution, BATCH_TO_SPACE_ND into the dilated convolution that TensorFlow meant.

Each image of the batch holds every d-th pixel, so that the convolution's taps lie d pixels apart. Paddings become
a border before the convolution (which may fold into it), and crops take it away again, or become a slice.
Convolutions along one axis come between two reshapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..graph import Graph, Op, Padding, Tensor
from ..ops.batches import BatchToSpace, SpaceToBatch, filled_pad
from ..ops.conv2d import Conv2D
from ..ops.depthwise_conv2d import DepthwiseConv2D
from ..ops.geometry import Pair
from ..ops.reshape import Reshape, ViewOp
from ..ops.strided_slice import between, slice_of

Convolution: TypeAlias = Conv2D | DepthwiseConv2D
Amounts: TypeAlias = tuple[tuple[int, int], tuple[int, int]]  # of rows and of columns


def fuse_dilation(graph: Graph) -> Graph:
    """What other operators read of the parts stays for them."""
    producers = graph.producers()
    ops = tuple(new for op in graph.ops for new in _fused(op, producers))
    return graph if ops == graph.ops else replace(graph, ops=ops)


@dataclass(frozen=True)
class Dilated:
    """The three operators; `axis` is where tensors of rank 3 get a fourth one, of size 1."""

    before: SpaceToBatch
    conv: Convolution
    behind: BatchToSpace
    axis: int | None

    def lifted(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape if self.axis is None else (*shape[: self.axis], 1, *shape[self.axis :])

    def _pair(self, amounts: tuple[tuple[int, int], ...]) -> Amounts:
        rows, columns = amounts if self.axis is None else ((0, 0), *amounts) if self.axis == 1 else (*amounts, (0, 0))
        return rows, columns

    @property
    def block(self) -> Pair:
        assert self.before.block is not None
        return Pair(*self.lifted((1, *self.before.block, 1))[1:3])

    @property
    def border(self) -> Amounts:
        return self._kept(self.before, self.behind)

    @property
    def crop(self) -> Amounts:
        """Beyond the border."""
        return self._kept(self.behind, self.before)

    def _kept(self, one: SpaceToBatch | BatchToSpace, other: SpaceToBatch | BatchToSpace) -> Amounts:
        """What the other does not undo."""
        assert one.amounts is not None and other.amounts is not None
        pairs = zip(self._pair(one.amounts), self._pair(other.amounts), strict=True)
        rows, columns = ((max(a[0] - b[0], 0), max(a[1] - b[1], 0)) for a, b in pairs)
        return rows, columns


def _fused(op: Op, producers: Mapping[Tensor, Op]) -> tuple[Op, ...]:
    found = _found(op, producers) if isinstance(op, BatchToSpace) else None
    return (op,) if found is None else tuple(_said_anew(found))


def _found(behind: BatchToSpace, producers: Mapping[Tensor, Op]) -> Dilated | None:
    conv, after = _behind_view(behind.x, producers)
    if not isinstance(conv, (Conv2D, DepthwiseConv2D)) or (conv.stride, conv.padding) != (Pair(1, 1), Padding()):
        return None
    before, ahead = _behind_view(conv.x, producers)
    if not isinstance(before, SpaceToBatch) or not (before.is_known and behind.is_known):
        return None
    axis = _new_axis(ahead, after)
    rank = 4 if axis is None else 3
    found = Dilated(before, conv, behind, axis)
    fits = before.block == behind.block and len(before.x.shape) == len(behind.x.shape) == rank
    alike = _same_quant(before.x, conv.x) and _same_quant(before.x, before.y) and _same_quant(behind.y, conv.y)
    if not (fits and alike and (ahead is None) == (after is None) and _is_lifted(found, ahead, after)):
        return None
    return found if conv.y.shape == (*_convolved_shape(conv), conv.y.shape[-1]) else None


def _convolved_shape(conv: Convolution) -> tuple[int, ...]:
    """Images, rows and columns: nobody has checked those of more than one image."""
    batch, *sizes, _ = conv.x.shape
    return (batch, *(n - (extent - 1) for n, extent in zip(sizes, conv.extent, strict=True)))


def _behind_view(tensor: Tensor, producers: Mapping[Tensor, Op]) -> tuple[Op | None, ViewOp | None]:
    """What made a tensor, and the reshape that came after it."""
    op = producers.get(tensor)
    return (producers.get(op.x), op) if isinstance(op, ViewOp) else (op, None)


def _new_axis(ahead: ViewOp | None, after: ViewOp | None) -> int | None:
    if ahead is None or after is None:
        return None
    return next((i for i in (1, 2) if _with(ahead.x.shape, i) == ahead.y.shape), 1)


def _with(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], 1, *shape[axis:])


def _is_lifted(found: Dilated, ahead: ViewOp | None, after: ViewOp | None) -> bool:
    """Do the reshapes add that axis, and take it away again?"""
    views = ahead is None or found.lifted(ahead.x.shape) == ahead.y.shape
    return views and (after is None or found.lifted(after.y.shape) == after.x.shape)


def _same_quant(a: Tensor, b: Tensor) -> bool:
    return a.quant is not None and a.quant.same_as(b.quant)


def _said_anew(found: Dilated) -> list[Op]:
    before, behind = found.before, found.behind
    made = list[Op]()
    x = before.x
    if found.axis is not None:
        x = replace(x, name=f"{behind.y.name}:image", shape=found.lifted(x.shape))
        made.append(Reshape(before.index, (before.x,), (x,)))
    if any(map(any, found.border)):
        sizes = (n + sum(pair) for n, pair in zip(x.shape[1:3], found.border, strict=True))
        bordered = replace(x, name=f"{behind.y.name}:bordered", shape=(x.shape[0], *sizes, x.shape[3]))
        amounts = ((0, 0), *found.border, (0, 0))
        made.append(filled_pad(before.index, x, bordered, amounts, before.value))
        x = bordered
    return [*made, *_convolved(found, _dilated(found, x))]


def _dilated(found: Dilated, x: Tensor) -> Convolution:
    conv = found.conv
    dilation = Pair(*(d * b for d, b in zip(conv.dilation, found.block, strict=True)))
    reach = ((k - 1) * d for k, d in zip(conv.kernel, dilation, strict=True))
    sizes = (n - r for n, r in zip(x.shape[1:3], reach, strict=True))
    y = between(found.behind.y, "uncropped", (x.shape[0], *sizes, conv.y.shape[3]))
    return replace(conv, inputs=(x, *conv.inputs[1:]), outputs=(y,), dilation=dilation)


def _convolved(found: Dilated, conv: Convolution) -> list[Op]:
    """The convolution, what is cropped of it, and the shape that is expected."""
    y, made = found.behind.y, list[Op]([conv])
    wanted = found.lifted(y.shape)
    if any(map(any, found.crop)):
        cropped = between(y, "cropped", wanted)
        begin = (0, *(first for first, _ in found.crop), 0)
        made.append(slice_of(found.behind.index, conv.y, cropped, begin, wanted))
    if found.axis is not None:
        return [*made, Reshape(found.behind.index, made[-1].outputs, (y,))]
    return [*made[:-1], replace(made[-1], outputs=(y,))]
