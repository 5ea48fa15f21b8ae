"""Kernels that move values, from rings to rings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.native import NativeTarget
from tecompile.graph import DType, Op, Tensor
from tecompile.interpret import run
from tecompile.ops.blocks import DepthToSpace, SpaceToDepth
from tecompile.ops.gather import Gather
from tecompile.ops.repeat import Tile
from tecompile.ops.strided import Rearrange
from tecompile.ops.traversal import Axis, Traversal

from .build import build_models, random_inputs
from .chains import Layer, chain, conv, copy, dw, output
from .test_rings import ring_plans, shared


def pixels_as_channels(index: int, x: Tensor) -> Op:
    _, rows, columns, channels = x.shape
    return SpaceToDepth(index, (x,), (output(index, rows // 2, columns // 2, channels * 4),), 2)


def channels_as_pixels(index: int, x: Tensor) -> Op:
    _, rows, columns, channels = x.shape
    return DepthToSpace(index, (x,), (output(index, rows * 2, columns * 2, channels // 4),), 2)


def shuffle(index: int, x: Tensor) -> Op:
    """Channels in two groups, one of each in turn."""
    half, pixels = x.shape[3] // 2, x.shape[1] * x.shape[2]
    walk = Traversal(0, (Axis(pixels, 2 * half), Axis(half, 1), Axis(2, half)))
    return Rearrange(index, (x,), (output(index, *x.shape[1:]),), walk)


def turned(index: int, x: Tensor) -> Op:
    """Columns as channels: the rows stay."""
    _, rows, columns, channels = x.shape
    walk = Traversal(0, (Axis(rows, columns * channels), Axis(channels, 1), Axis(columns, channels)))
    return Rearrange(index, (x,), (output(index, rows, channels, columns),), walk)


def repeated(index: int, x: Tensor) -> Op:
    table = Tensor(f"n{index}", (4,), DType.INT32, None, np.array([1, 1, 1, 3], np.int32))
    return Tile(index, (x, table), (output(index, *x.shape[1:3], 3 * x.shape[3]),))


def chosen(axis: int, *places: int) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        table = Tensor(f"p{index}", (len(places),), DType.INT32, None, np.array(places, np.int32))
        shape = (*x.shape[:axis], len(places), *x.shape[axis + 1 :])
        return Gather(index, (x, table), (replace(output(index, *x.shape[1:]), shape=shape),), axis)

    return make


GRAPHS = {
    "blocks": chain([conv(3, 1, 3), pixels_as_channels, dw(3, 1), channels_as_pixels, conv(3, 1, 2), copy], 6, 4, 2),
    "shuffled": chain([conv(3, 1, 6), shuffle, dw(3, 1), turned, dw(3, 1), repeated, copy], 5, 4, 2),
    "mirrored": chain([conv(3, 1, 3), chosen(1, 2, 1, 0, 1, 2, 3, 2), dw(3, 1), copy], 4, 4, 2),
    "columns": chain([conv(3, 1, 3), chosen(2, 3, 0, 0), dw(3, 1), chosen(3, 1, 2, 0, 1), dw(3, 1), copy], 5, 4, 2),
}


def test_these_kernels_are_of_strips() -> None:
    """Or the test below would not see them."""
    kernels = {NativeTarget().candidates(op)[0].kernel for graph in GRAPHS.values() for op in graph.ops}
    assert {"te_regroup", "te_resize_nearest", "te_gather_channels"} <= kernels
    assert all(op.streams for graph in GRAPHS.values() for op in graph.ops)


@shared
@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, some: slice, tmp_path: Path) -> None:
    graph, rng = GRAPHS[name], np.random.default_rng(1)
    for model in build_models(tmp_path, list(ring_plans(graph, rng, some=some))):
        for _ in range(3):
            inputs = random_inputs(graph, rng)
            for got, want in zip(model.run(inputs), run(graph, inputs), strict=True):
                np.testing.assert_array_equal(got, want, f"{model.name} of {name}")
