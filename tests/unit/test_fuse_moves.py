"""Chains of moves become one, with the same bytes; what would be lost is left as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tecompile.graph import DType, Graph, Tensor
from tecompile.interpret import random_inputs, run
from tecompile.ops.blocks import DepthToSpace
from tecompile.ops.gather import Gather
from tecompile.ops.repeat import Tile
from tecompile.ops.strided import Rearrange
from tecompile.ops.transpose import Transpose
from tecompile.ops.traversal import Axis, Traversal, dense
from tecompile.passes import simplify
from tecompile.passes.fuse_moves import fuse_moves
from tecompile.rewriting import validate
from tests.tools.graphs import Builder


def table(name: str, *values: int) -> Tensor:
    return Tensor(name, (len(values),), DType.INT32, None, np.array(values, np.int32))


def like(x: Tensor, name: str, *shape: int) -> Tensor:
    return replace(x, name=name, shape=shape)


def transpose(b: Builder, x: Tensor, *order: int) -> Tensor:
    number = len(b.ops)
    y = like(x, f"turned{number}", *(x.shape[i] for i in order))
    b.ops.append(Transpose(number, (x, table(f"order{number}", *order)), (y,)))
    return y


def half(b: Builder, x: Tensor, number: int) -> Tensor:
    """GATHER of one along the first axis, which disappears."""
    y, place = like(x, f"half{number}", *x.shape[1:]), Tensor(f"place{number}", (), DType.INT32, None, np.array(number))
    b.ops.append(Gather(len(b.ops), (x, replace(place, data=np.array(number, np.int32))), (y,), 0))
    return y


def same_values(before: Graph, after: Graph) -> bool:
    inputs = random_inputs(before, 7)
    validate(after)
    return all(np.array_equal(a, c) for a, c in zip(run(before, inputs), run(after, inputs), strict=True))


def kinds(graph: Graph) -> list[str]:
    return [op.kind for op in graph.ops]


def test_a_channel_shuffle_between_two_layouts() -> None:
    """As PyTorch's ShuffleNet arrives: to NCHW, through five axes, apart, and back to NHWC."""
    b = Builder()
    x = b.conv(b.input(1, 4, 5, 3), 6)
    apart = b.reshape(transpose(b, b.reshape(transpose(b, x, 0, 3, 1, 2), 3, 2, 20), 1, 0, 2), 2, 1, 3, 4, 5)
    parts = [transpose(b, half(b, apart, i), 0, 2, 3, 1) for i in (0, 1)]
    before = b.graph(*(b.conv(part, 2) for part in parts))
    after = simplify(before)
    assert kinds(after) == ["CONV_2D", "REARRANGE", "REARRANGE", "CONV_2D", "CONV_2D"]
    assert all(op.streams for op in after.ops)
    assert same_values(before, after)


def test_shapes_around_a_shuffle_disappear() -> None:
    b = Builder()
    x = b.conv(b.input(1, 4, 5, 3), 6)
    shuffled = b.reshape(transpose(b, b.reshape(x, 1, 4, 5, 2, 3), 0, 1, 2, 4, 3), 1, 4, 5, 6)
    before = b.graph(b.conv(shuffled, 2))
    after = simplify(before)
    assert kinds(after) == ["CONV_2D", "REARRANGE", "CONV_2D"]
    assert after.ops[1].streams
    assert same_values(before, after)


def test_there_and_back_is_nothing() -> None:
    b = Builder()
    x = b.conv(b.input(1, 4, 5, 3), 6)
    before = b.graph(b.conv(transpose(b, transpose(b, x, 0, 3, 1, 2), 0, 2, 3, 1), 2))
    after = simplify(before)
    assert kinds(after) == ["CONV_2D", "CONV_2D"]
    assert same_values(before, after)


def test_a_flattened_image_is_still_computed_row_by_row() -> None:
    b = Builder()
    x = b.conv(b.input(1, 4, 5, 3), 8)
    y = like(x, "pixels", 1, 8, 10, 2)
    b.ops.append(DepthToSpace(len(b.ops), (x,), (y,), 2))
    before = b.graph(b.reshape(y, 1, 160))
    after = simplify(before)
    assert kinds(after) == ["CONV_2D", "DEPTH_TO_SPACE", "RESHAPE"]
    assert same_values(before, after)


def test_what_others_read_is_moved_once() -> None:
    b = Builder()
    turned = transpose(b, b.conv(b.input(1, 4, 5, 3), 6), 0, 2, 1, 3)
    before = b.graph(b.conv(turned, 2), b.reshape(turned, 1, 120))
    after = simplify(before)
    assert kinds(after) == ["CONV_2D", "TRANSPOSE", "CONV_2D", "RESHAPE"]
    assert same_values(before, after)


@st.composite
def moves(draw: st.DrawFn) -> Graph:
    """A chain of any moves and shapes."""
    b = Builder()
    x = b.input(*draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    for number in range(draw(st.integers(2, 5))):
        x = draw(st.sampled_from([_turn, _shape, _repeat, _every_other]))(draw, b, x, number)
    return b.graph(x)


def _turn(draw: st.DrawFn, b: Builder, x: Tensor, _number: int) -> Tensor:
    return transpose(b, x, *draw(st.permutations(range(len(x.shape)))))


def _shape(draw: st.DrawFn, b: Builder, x: Tensor, _number: int) -> Tensor:
    first = draw(st.sampled_from([n for n in range(1, x.elements + 1) if x.elements % n == 0]))
    rest = x.elements // first
    second = draw(st.sampled_from([n for n in range(1, rest + 1) if rest % n == 0]))
    return b.reshape(x, first, second, rest // second)


def _repeat(draw: st.DrawFn, b: Builder, x: Tensor, number: int) -> Tensor:
    counts = [draw(st.sampled_from([1, 1, 2])) for _ in x.shape]
    y = like(x, f"repeated{number}", *(n * count for n, count in zip(x.shape, counts, strict=True)))
    b.ops.append(Tile(number, (x, table(f"counts{number}", *counts)), (y,)))
    return y


def _every_other(draw: st.DrawFn, b: Builder, x: Tensor, number: int) -> Tensor:
    axis = draw(st.integers(0, len(x.shape) - 1))
    axes = [Axis(-(-a.size // 2), 2 * a.step) if i == axis else a for i, a in enumerate(dense(x.shape))]
    y = like(x, f"thin{number}", *(a.size for a in axes))
    b.ops.append(Rearrange(number, (x,), (y,), Traversal(0, tuple(axes))))
    return y


@settings(max_examples=150, deadline=None, derandomize=True)
@given(graph=moves())
def test_any_chain(graph: Graph) -> None:
    assert same_values(graph, fuse_moves(graph))


def test_operators_that_compute_are_left_alone() -> None:
    b = Builder()
    before = b.graph(b.conv(b.relu(b.conv(b.input(1, 4, 5, 3), 6)), 2))
    after = fuse_moves(before)
    assert after == before
