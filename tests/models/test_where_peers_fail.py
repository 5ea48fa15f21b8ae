"""What other generators of C code get wrong, refuse or leave out: one small network each, as a user compiles it,
against TensorFlow Lite Micro's own outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends import backend_chain
from tecompile.board import load_board
from tecompile.frontend import check_supported, parse
from tecompile.interpret import random_inputs
from tecompile.passes import simplify
from tecompile.planner.planner import Optimize, Place, make_plan
from tests.host.build import build_models
from tests.tools.golden import run_tflm

from .networks import Network
from .networks import Shape as Sizes

TARGET = backend_chain("portable", load_board("host").core)
Build = Callable[[Network], tuple[list[int], list[int]]]  # inputs and outputs


def image(rows: int, columns: int, channels: int, layers: Callable[[Network, int], int]) -> Build:
    def build(n: Network) -> tuple[list[int], list[int]]:
        x = n.tensor((1, rows, columns, channels))
        return [x], [layers(n, x)]

    return build


def conv(n: Network, x: int, channels: int, y: Sizes, **options: int) -> int:
    """A convolution of 3 x 3 that slides as it is told; `y` is what that makes of rows and columns."""
    weights = n._weights((channels, 3, 3, n.shape(x)[3]), 0)
    return n.op("CONV_2D", [x, *weights], n.tensor((1, *y, channels)), **sliding(options))


def depthwise(n: Network, x: int, multiplier: int, y: Sizes, **options: int) -> int:
    channels = n.shape(x)[3] * multiplier
    weights = n._weights((1, 3, 3, channels), 3)
    slide = {**sliding(options), "depth_multiplier": multiplier}
    return n.op("DEPTHWISE_CONV_2D", [x, *weights], n.tensor((1, *y, channels)), **slide)


def sliding(options: Mapping[str, int]) -> dict[str, int | str]:
    return {"stride_h": 1, "stride_w": 1, "padding": "SAME", **options}


def mean(n: Network, x: int, *axes: int) -> int:
    left = tuple(size for axis, size in enumerate(n.shape(x)) if axis not in axes)
    return n.op("MEAN", [x, n.constant(axes)], n.tensor(left, scale=0.03))


def resize(kind: str, rows: int, columns: int, **options: bool) -> Callable[[Network, int], int]:
    def make(n: Network, x: int) -> int:
        y = n.tensor((1, rows, columns, n.shape(x)[3]))
        return n.op(kind, [x, n.constant([rows, columns])], y, **options)

    return make


def residual_over_stages(n: Network, x: int) -> int:
    """Blocks that a plan for little memory computes by rows, with a sum over all of them at the end."""
    start = n.conv(x, 8, kernel=3)
    y = start
    for kernel in (3, 5, 3):
        y = n.conv(n.dw(n.conv(y, 16, activation="RELU6"), kernel, activation="RELU6"), 8)
    return n.conv(n.add(start, y), 4, kernel=3, stride=2)


def all_outputs(n: Network) -> tuple[list[int], list[int]]:
    """From the middle, twice from one value, and the end."""
    x = n.tensor((1, 9, 7, 3))
    a = n.conv(x, 5, kernel=3, stride=2)
    b, c = n.conv(a, 3), n.pool(a, "MAX_POOL_2D", 2)
    return [x], [a, n.mean(b), b, c]


def places_of_the_largest(n: Network, x: int) -> int:
    """What a segmentation ends with."""
    classes = n.conv(x, 5, kernel=3)
    y = n.tensor(n.shape(classes)[:3], "int32", None, 0)
    return n.op("ARG_MAX", [classes, n.constant(3)], y, output_type="INT32")


NETWORKS: Mapping[str, Build] = {
    "SAME with stride 2 on an even image": image(8, 12, 3, lambda n, x: n.dw(n.conv(x, 8, 3, 2), 3, 2)),
    "3 x 3 with stride 2 of 3 channels": image(9, 8, 3, lambda n, x: n.conv(x, 8, 3, 2)),
    "3 x 3 with stride 2 of 5 channels": image(8, 9, 5, lambda n, x: n.conv(x, 8, 3, 2)),
    "3 x 3 with stride 1 of 3 channels": image(7, 6, 3, lambda n, x: n.conv(x, 8, 3)),
    "mean of the image": image(6, 5, 7, lambda n, x: mean(n, n.conv(x, 7), 1, 2)),
    "mean of the rows": image(6, 5, 7, lambda n, x: mean(n, n.conv(x, 7), 1)),
    "mean of the columns": image(6, 5, 7, lambda n, x: mean(n, n.conv(x, 7), 2)),
    "mean of the channels": image(6, 5, 7, lambda n, x: mean(n, n.conv(x, 7), 3)),
    "mean of rows and channels": image(6, 5, 7, lambda n, x: mean(n, n.conv(x, 7), 1, 3)),
    "squeeze and excite": image(6, 5, 4, lambda n, x: n.conv(n.gate(n.conv(x, 6)), 3)),
    "nearest, not square": image(3, 5, 4, resize("RESIZE_NEAREST_NEIGHBOR", 6, 15)),
    "nearest, down": image(9, 4, 4, resize("RESIZE_NEAREST_NEIGHBOR", 4, 3, half_pixel_centers=True)),
    "bilinear, not square": image(3, 5, 4, resize("RESIZE_BILINEAR", 6, 15, half_pixel_centers=True)),
    "bilinear, corners aligned": image(4, 3, 3, resize("RESIZE_BILINEAR", 9, 7, align_corners=True)),
    "bilinear, down": image(9, 10, 3, resize("RESIZE_BILINEAR", 4, 3)),
    "residual over stages": image(24, 20, 3, residual_over_stages),
    "all outputs": all_outputs,
    "depth multiplier": image(6, 7, 3, lambda n, x: depthwise(n, x, 3, (6, 7))),
    "dilation": image(9, 8, 3, lambda n, x: conv(n, x, 5, (9, 8), dilation_h_factor=2, dilation_w_factor=2)),
    "dilation in rows": image(9, 8, 3, lambda n, x: conv(n, x, 5, (9, 8), dilation_h_factor=3)),
    "dilation of a depthwise layer": image(9, 8, 4, lambda n, x: depthwise(n, x, 1, (9, 8), dilation_w_factor=2)),
    "strides that differ": image(9, 8, 3, lambda n, x: conv(n, x, 5, (5, 8), stride_h=2)),
    "strides that differ, depthwise": image(9, 8, 5, lambda n, x: depthwise(n, x, 1, (9, 3), stride_w=3)),
    "odd numbers of channels": image(5, 5, 1, lambda n, x: n.conv(n.dw(n.conv(x, 7)), 3)),
    "odd sizes, nothing aligned": image(7, 5, 3, lambda n, x: n.fc(n.flatten(n.conv(n.conv(x, 5, 3), 1)), 3)),
    "places of the largest": image(8, 6, 3, places_of_the_largest),
    "maximum of the image": image(
        6, 5, 7, lambda n, x: n.op("REDUCE_MAX", [n.conv(x, 7), n.constant([1, 2])], n.tensor((1, 7)))
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_generated_code_equals_tflm(name: str, tmp_path: Path) -> None:
    network = Network(list(NETWORKS).index(name))
    inputs, outputs = NETWORKS[name](network)
    data = network.model(inputs, outputs)
    graph = parse(data, "net")
    simple = simplify(graph)
    check_supported(simple)
    plans = [make_plan(simple, TARGET, Place("RAM"), wish) for wish in (Optimize.RAM, Optimize.SPEED)]
    for model in build_models(tmp_path, plans):
        for seed in range(3):
            values = random_inputs(graph, seed)
            for got, golden in zip(model.run(values), run_tflm(data, values), strict=True):
                np.testing.assert_array_equal(got, golden)
                assert len(np.unique(golden)) > min(2, golden.size - 1)  # equal values would prove little
