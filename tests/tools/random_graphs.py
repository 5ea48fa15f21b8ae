"""Random small networks for hypothesis: chains with residuals, branches, odd sizes, strides, views, several outputs."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tecompile.graph import Graph, Tensor

from .graphs import Builder

WINDOWS = ("conv", "depthwise", "pool", "pad", "resize")
OTHERS = ("add", "average", "branches", "concat", "gate", "logistic", "mean", "relu", "rename", "view")


@st.composite
def graphs(draw: st.DrawFn, most: int = 9, largest: int = 9) -> Graph:
    """Up to `most` operators, each on one of the last few tensors; what nobody reads is an output."""
    b = Builder(draw(st.integers(0, 99)))
    sizes = st.integers(1, largest)
    made = [b.input(1, draw(sizes), draw(sizes), draw(st.integers(1, 5)))]
    for _ in range(draw(st.integers(1, most))):
        x = made[draw(st.integers(max(0, len(made) - 3), len(made) - 1))]
        kind = draw(st.sampled_from(WINDOWS + OTHERS))
        made.append(_window(draw, b, x, kind) if kind in WINDOWS else _other(draw, b, x, made, kind))
    read = {t for op in b.ops for t in op.activations}
    outputs = {t for t in made[1:] if t not in read} | set(draw(st.lists(st.sampled_from(made[1:]), max_size=1)))
    return b.graph(*sorted(outputs, key=lambda t: t.name))


def _window(draw: st.DrawFn, b: Builder, x: Tensor, kind: str) -> Tensor:
    """Operators whose rows see other rows."""
    kernel, stride = draw(st.sampled_from([1, 2, 3, 5, 7])), draw(st.integers(1, 3))
    same = kernel > min(x.shape[1:3]) or draw(st.booleans())
    if kind == "conv":
        return b.conv(x, draw(st.sampled_from([3, 4, 12])), kernel, stride, same)
    if kind == "depthwise":
        return b.dw(x, kernel, stride, same)
    if kind == "pool":
        return b.maxpool(x, draw(st.integers(1, min(x.shape[1:3]))))
    if kind == "pad":
        return b.pad(x, *(draw(st.integers(0, 2)) for _ in range(4)))
    return b.resize(x, *(draw(st.integers(1, min(2 * n, 12))) for n in x.shape[1:3]))


def _other(draw: st.DrawFn, b: Builder, x: Tensor, made: Sequence[Tensor], kind: str) -> Tensor:
    """Operators on pixels that lie at the same place, or on whole channels."""
    if kind == "add":  # with the oldest tensor of its shape, or the newest: residuals as long as they get
        return b.add(x, next(t for t in (made if draw(st.booleans()) else reversed(made)) if t.shape == x.shape))
    if kind == "branches":  # two windows on one tensor
        return b.add(b.dw(x, draw(st.sampled_from([3, 5, 7]))), b.dw(x, draw(st.sampled_from([3, 5]))))
    if kind == "concat":
        axis = draw(st.integers(1, 3))
        return b.concat(*[t for t in reversed(made) if _fits_beside(x, t, axis)][: draw(st.integers(1, 3))], axis=axis)
    if kind == "gate":  # squeeze and excite
        return b.mul(x, b.logistic(b.conv(b.global_mean(x), x.shape[3])))
    if kind == "rename":  # the same rows under shapes of other ranks
        return b.reshape(b.relu(b.reshape(x, *x.shape[1:])), *x.shape)
    if kind == "view":
        return b.reshape(b.reshape(x, 1, x.elements), *x.shape)
    unary = {"average": b.global_average, "logistic": b.logistic, "mean": b.global_mean, "relu": b.relu}
    return unary[kind](x)


def _fits_beside(x: Tensor, other: Tensor, axis: int) -> bool:
    """May a concatenation along the axis take both?"""
    assert x.quant is not None
    rest = [i for i in range(4) if i != axis]
    return x.quant.same_as(other.quant) and all(x.shape[i] == other.shape[i] for i in rest)
