"""Random small networks for hypothesis: chains with residuals, branches, odd sizes, strides, views, several outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeVar

from hypothesis import strategies as st

from tecompile.errors import TecompileError
from tecompile.graph import DType, Graph, Op, Tensor
from tecompile.passes.decompose import decompose

from .more_graphs import FullBuilder

T = TypeVar("T")
LONGEST, LARGEST = 20, 1500  # rows or columns, and elements, of tensors inside
COMPARISONS = ("GREATER", "LESS_EQUAL", "EQUAL", "NOT_EQUAL")


@dataclass(frozen=True)
class Ground:
    """Where the next operator stands: on `x`, one of the images made so far."""

    draw: st.DrawFn
    b: FullBuilder
    made: Sequence[Tensor]
    x: Tensor

    def pick(self, *values: T) -> T:
        return self.draw(st.sampled_from(values))

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, max(low, high)))

    def flag(self) -> bool:
        return self.draw(st.booleans())

    def other(self, alike: bool = False) -> Tensor:
        """The oldest tensor of x's shape, or the newest: residuals as long as they get. `alike`: quantised so too."""
        order = self.made if self.flag() else tuple(reversed(self.made))
        x = self.x
        return next(t for t in order if t.shape == x.shape and (not alike or t.quant == x.quant))

    def repeated(self) -> Tensor:
        """An operand that broadcasts to x, computed at run time or constant."""
        shape = [1, *(self.pick(n, 1) for n in self.x.shape[1:3]), self.x.shape[3]]
        found = [t for t in self.made if t.shape == tuple(shape)]
        shape[3] = self.pick(1, shape[3])
        if found and self.flag():
            return found[-1]
        return self.b.constant(self.x, *shape) if self.flag() else self._reduced(shape)

    def _reduced(self, shape: Sequence[int]) -> Tensor:
        axes = [i for i, n in enumerate(shape) if n != self.x.shape[i]]
        return self.b.reduce("REDUCE_MAX", self.x, *axes) if axes else self.other()


def conv(g: Ground) -> Tensor:
    kernel, stride, same = _window(g)
    return g.b.conv(g.x, g.pick(3, 4, 12), kernel, stride, same)


def depthwise(g: Ground) -> Tensor:
    kernel, stride, same = _window(g)
    return g.b.dw(g.x, kernel, stride, same, multiplier=g.pick(1, 1, 1, 2, 3))


def _window(g: Ground) -> tuple[int, int, bool]:
    kernel, stride = g.pick(1, 2, 3, 5, 7), g.number(1, 3)
    return kernel, stride, kernel > min(g.x.shape[1:3]) or g.flag()


def dilated(g: Ground) -> Tensor:
    hole = g.number(2, 3)
    if g.flag():
        return g.b.dw(g.x, 3, g.pick(1, 1, 2), hole=hole)
    return g.b.conv(g.x, g.pick(3, 4), g.pick(2, 3), hole=hole)


def grouped(g: Ground) -> Tensor:
    groups = g.pick(*(n for n in range(1, g.x.shape[3] + 1) if g.x.shape[3] % n == 0))
    return g.b.conv(g.x, groups * g.number(1, 3), g.pick(1, 3), g.pick(1, 1, 2), groups=groups)


def transpose_conv(g: Ground) -> Tensor:
    return g.b.transpose_conv(g.x, g.pick(2, 3, 4), g.number(1, 4), g.number(1, 3), g.flag())


def pool(g: Ground) -> Tensor:
    return g.b.maxpool(g.x, g.number(1, min(g.x.shape[1:3])))


def average_pool(g: Ground) -> Tensor:
    kind, (rows, columns) = g.pick("AVERAGE_POOL_2D", "MAX_POOL_2D"), g.x.shape[1:3]
    stride, kernel = g.number(1, 2), g.number(1, 4)
    y = g.b.like(g.x, 1, -(-rows // stride), -(-columns // stride), g.x.shape[3])
    options = {"filter_height": kernel, "filter_width": kernel, "stride_h": stride, "stride_w": stride}
    return g.b.op(kind, (g.x,), y, padding="SAME", **options)


def pad(g: Ground) -> Tensor:
    return g.b.pad(g.x, *(g.number(0, 2) for _ in range(4)))


def mirror(g: Ground) -> Tensor:
    symmetric = g.flag()
    rows, columns = ((g.number(0, min(3, n)), g.number(0, min(3, n))) for n in _inside(g.x, symmetric))
    return g.b.mirror(g.x, rows, columns, symmetric)


def _inside(x: Tensor, symmetric: bool) -> Sequence[int]:
    return [n - (not symmetric) for n in x.shape[1:3]]


def resize(g: Ground) -> Tensor:
    return g.b.resize(g.x, *(g.number(1, min(2 * n, 12)) for n in g.x.shape[1:3]))


def bilinear(g: Ground) -> Tensor:
    rows, columns = (g.pick(min(2 * n, 12), g.number(1, min(3 * n, 12))) for n in g.x.shape[1:3])
    align, half = g.pick((False, False), (True, False), (False, True))
    return g.b.bilinear(g.x, rows, columns, align=align, half=half)


def cut(g: Ground) -> Tensor:
    """A part of rows, columns and channels, with and without steps."""
    bounds = [sorted((g.number(0, n - 1), g.number(0, n - 1))) for n in g.x.shape]
    axes = {g.number(1, 3), g.number(1, 3)}
    bounds = [bound if i in axes else [0, g.x.shape[i] - 1] for i, bound in enumerate(bounds)]
    begin, end = [low for low, _ in bounds], [high + 1 for _, high in bounds]
    if g.flag():
        return g.b.slice(g.x, begin, [high - low for low, high in zip(begin, end, strict=True)])
    return g.b.strided(g.x, begin, end, [g.number(1, 3) if i in axes else 1 for i in range(4)])


def split(g: Ground) -> Tensor:
    """All parts are used, the last by what follows."""
    axis = g.number(1, 3)
    parts = g.b.split(g.x, axis, g.pick(*(n for n in range(1, 5) if g.x.shape[axis] % n == 0)))
    first = parts[0]
    for part in parts[1:]:
        first = g.b.pair(g.pick("SUB", "MAXIMUM"), part, first) if g.flag() else g.b.add(first, part)
    return first


def turn(g: Ground) -> Tensor:
    """Axes in another order, mostly with something between and back."""
    order, back = g.pick(((0, 3, 1, 2), (0, 2, 3, 1)), ((0, 2, 1, 3), (0, 2, 1, 3)), ((0, 1, 3, 2), (0, 1, 3, 2)))
    y = g.b.transpose(g.x, *order)
    y = unary(Ground(g.draw, g.b, (y,), y)) if g.flag() else y
    return g.b.transpose(y, *back) if g.pick(True, True, False) else y


def shuffle(g: Ground) -> Tensor:
    _, rows, columns, channels = g.x.shape
    groups = g.pick(*(n for n in range(1, channels + 1) if channels % n == 0))
    apart = g.b.reshape(g.x, 1, rows, columns, groups, channels // groups)
    return g.b.reshape(g.b.transpose(apart, 0, 1, 2, 4, 3), *g.x.shape)


def blocks(g: Ground) -> Tensor:
    block = g.number(1, 3)
    if g.x.shape[3] % block**2 == 0:
        return g.b.to_pixels(g.x, block)
    rows, columns = (n // block * block for n in g.x.shape[1:3])
    return g.b.to_blocks(g.b.slice(g.x, (0, 0, 0, 0), (1, rows, columns, g.x.shape[3])), block)


def tile(g: Ground) -> Tensor:
    axis = g.number(1, 3)
    return g.b.tile(g.x, *(g.number(1, 3) if i == axis or (i and g.pick(0, 0, 1)) else 1 for i in range(4)))


def reverse(g: Ground) -> Tensor:
    return g.b.reverse(g.x, g.number(1, 3))


def gather(g: Ground) -> Tensor:
    axis = g.number(1, 3)
    places = g.draw(st.lists(st.integers(0, g.x.shape[axis] - 1), min_size=1, max_size=8))
    return g.b.gather(g.x, axis, sorted(places) if g.flag() else places)


def reduce(g: Ground) -> Tensor:
    kind = g.pick("REDUCE_MAX", "REDUCE_MIN", "MEAN", "SUM")
    return g.b.reduce(kind, g.x, *g.pick((1, 2), (3,), (2,), (1,), (1, 2, 3), (2, 3)))


def add(g: Ground) -> Tensor:
    return g.b.add(g.x, g.other())


def pair(g: Ground) -> Tensor:
    operands = g.x, g.other() if g.flag() else g.repeated()
    kind = g.pick("SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "ADD", "PRELU")
    return g.b.pair(kind, *(operands if g.flag() else operands[::-1]))


def prelu(g: Ground) -> Tensor:
    return g.b.pair("PRELU", g.x, g.b.constant(g.x, 1, 1, g.x.shape[3]))


def branches(g: Ground) -> Tensor:
    """Two windows on one tensor."""
    return g.b.add(g.b.dw(g.x, g.pick(3, 5, 7)), g.b.dw(g.x, g.pick(3, 5)))


def concat(g: Ground) -> Tensor:
    axis, x = g.number(1, 3), g.x
    parts = [t for t in reversed(g.made) if _fits_beside(x, t, axis)]
    return g.b.concat(*parts[: g.number(1, 3)], axis=axis)


def gate(g: Ground) -> Tensor:
    """Squeeze and excite."""
    return g.b.mul(g.x, g.b.logistic(g.b.conv(g.b.global_mean(g.x), g.x.shape[3])))


def mask(g: Ground) -> Tensor:
    """Choose between two tensors, or a tensor and a constant."""
    x, y = g.x, g.other(alike=True)
    no = g.pick(y, g.b.constant(x, *x.shape[1:]), g.b.constant(x, 1, 1, 1, x.shape[3]))
    condition = g.b.mask(g.pick(*COMPARISONS), x, g.repeated())
    if g.flag():
        condition = g.b.mask("LOGICAL_NOT", condition)
    if g.flag():
        condition = g.b.mask(g.pick("LOGICAL_AND", "LOGICAL_OR"), condition, g.b.mask("LESS", x, no))
    return g.b.select(condition, x, no)


def rename(g: Ground) -> Tensor:
    """The same rows under shapes of other ranks."""
    return g.b.reshape(g.b.relu(g.b.reshape(g.x, *g.x.shape[1:])), *g.x.shape)


def view(g: Ground) -> Tensor:
    return g.b.reshape(g.b.reshape(g.x, 1, g.x.elements), *g.x.shape)


def dense(g: Ground) -> Tensor:
    """A fully connected layer on all values."""
    channels = g.number(1, 6)
    flat = g.b.reshape(g.x, 1, g.x.elements)
    return g.b.reshape(g.b.fully_connected(flat, channels), 1, 1, 1, channels)


def unary(g: Ground) -> Tensor:
    curves = ("LEAKY_RELU", "TANH", "HARD_SWISH", "RELU", "LOGISTIC")
    kind = g.pick("softmax", "average", "mean", "relu", *curves)
    if kind in curves:
        return g.b.curve(kind, g.x, **({"alpha": g.pick(0.1, 0.75)} if kind == "LEAKY_RELU" else {}))
    makers = {"softmax": g.b.softmax, "average": g.b.global_average, "mean": g.b.global_mean, "relu": g.b.relu}
    return makers[kind](g.x)


def end(g: Ground) -> None:
    """What gives no image of 8 bits, or mostly comes last."""
    axis = g.number(1, 3)
    if g.flag():
        g.b.arg(g.pick("ARG_MAX", "ARG_MIN"), g.x, axis)
    else:
        g.b.cumsum(g.x, axis, g.flag(), g.flag())


Maker = Callable[[Ground], Tensor]
LAYERS: Sequence[Maker] = (conv, depthwise, pool, pad, resize, add, branches, concat, gate, rename, view, unary)
MORE_LAYERS: Sequence[Maker] = (
    average_pool, bilinear, blocks, cut, dense, dilated, gather, grouped, mask, mirror, pair, prelu, reduce, reverse,
    shuffle, split, tile, transpose_conv, turn,
)  # fmt: skip
WIDE_LAYERS = tuple(maker for maker in MORE_LAYERS if maker not in (blocks, mask, prelu))


@st.composite
def networks(draw: st.DrawFn, most: int = 9, largest: int = 9, dtype: DType = DType.INT8) -> Graph:
    """Layers of about `most` operators, each on one of the last few tensors; what nobody reads is an output."""
    b, sizes = FullBuilder(draw(st.integers(0, 99)), dtype), st.integers(1, largest)
    made = [b.input(1, draw(sizes), draw(sizes), draw(st.integers(1, 5)))]
    more = WIDE_LAYERS if b.wide else MORE_LAYERS
    for _ in range(draw(st.integers(1, most)) if draw(st.booleans()) else most):
        if len(b.ops) >= most:
            break
        x = made[draw(st.integers(max(0, len(made) - 3), len(made) - 1))]
        ground = Ground(draw, b, tuple(made), x)
        made += _attempt(ground, draw(st.sampled_from(LAYERS if draw(st.booleans()) else more)))
    if not b.wide and draw(st.integers(0, 5)) == 0:
        end(Ground(draw, b, tuple(made), made[-1]))
    if not b.ops:
        b.relu(made[0])
    return _outputs(draw, b)


def _attempt(ground: Ground, maker: Maker) -> list[Tensor]:
    """What can't be compiled, or grows beyond bounds, is forgotten."""
    before = len(ground.b.ops)
    y = maker(ground)
    if all(supported(op) for op in ground.b.ops[before:]) and max(y.shape) <= LONGEST and prod(y.shape) <= LARGEST:
        return [y]
    del ground.b.ops[before:]
    return []


def _outputs(draw: st.DrawFn, b: FullBuilder) -> Graph:
    results = [t for op in b.ops for t in op.outputs]
    read = {t for op in b.ops for t in op.activations}
    outputs = {t for t in results if t not in read} | set(draw(st.lists(st.sampled_from(results), max_size=1)))
    return b.graph(*sorted(outputs, key=lambda t: t.name))


def supported(op: Op) -> bool:
    """Random scales may be beyond what 32 bits can do."""
    try:
        return not any((*op.invalid(), *op.unsupported()))
    except TecompileError:
        return False


def graphs(most: int = 7, largest: int = 9) -> st.SearchStrategy[Graph]:
    """The same as operators that kernels compute."""
    return networks(most, largest).map(decompose)


def _fits_beside(x: Tensor, other: Tensor, axis: int) -> bool:
    """May a concatenation along the axis take both?"""
    assert x.quant is not None
    rest = [i for i in range(4) if i != axis]
    return x.quant.same_as(other.quant) and all(x.shape[i] == other.shape[i] for i in rest)
