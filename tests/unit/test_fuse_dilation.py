"""Convolutions between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND become dilated ones, with the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import pytest

from tecompile.frontend import check_supported, parse
from tecompile.graph import Graph
from tecompile.interpret import random_inputs, run
from tecompile.ops.conv2d import Conv2D
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.passes import simplify
from tecompile.passes.fuse_dilation import fuse_dilation
from tests.tools.golden import run_tflm
from tests.tools.tflite_writer import ModelSpec, OpSpec, OptionValue, TensorSpec, write_model

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Recipe:
    """Sizes along each dilated axis; `lifted` says where a convolution along one axis gets another."""

    sizes: tuple[int, ...]
    block: tuple[int, ...]
    paddings: Pairs
    crops: Pairs
    kernel: tuple[int, int]
    zero_point: int = 0
    depthwise: bool = False
    lifted: int | None = None

    def four(self, *sizes: int) -> tuple[int, ...]:
        return sizes if self.lifted is None else (*sizes[: self.lifted], 1, *sizes[self.lifted :])


CHANNELS = 3


def model(r: Recipe) -> bytes:
    """As TensorFlow writes dilated convolutions, Conv1D too."""
    rng = np.random.default_rng(3)
    split = tuple((n + sum(p)) // b for n, p, b in zip(r.sizes, r.paddings, r.block, strict=True))
    reach = [k - 1 for k in r.kernel] if r.lifted is None else [r.kernel[2 - r.lifted] - 1]
    reduced = tuple(n - k for n, k in zip(split, reach, strict=True))
    final = tuple(n * b - sum(c) for n, b, c in zip(reduced, r.block, r.crops, strict=True))
    batch = prod(r.block)

    def tensor(*shape: int, scale: float = 0.05, zero: int = r.zero_point) -> TensorSpec:
        return TensorSpec(shape, "int8", scale, zero)

    def table(values: object) -> TensorSpec:
        data = np.array(values, np.int32)
        return TensorSpec(data.shape, "int32", data=data)

    shape = (1 if r.depthwise else CHANNELS, *r.kernel, CHANNELS)
    weights = rng.integers(-127, 128, shape, dtype=np.int8)
    y = {"scale": 0.3, "zero": 11}
    tensors = [
        tensor(1, *r.sizes, CHANNELS),
        table(r.block),
        table(r.paddings),
        tensor(batch, *split, CHANNELS),
        TensorSpec(shape, "int8", 0.01, 0, data=weights),
        tensor(batch, *reduced, CHANNELS, **y),
        table(r.block),
        table(r.crops),
        tensor(1, *final, CHANNELS, **y),
        tensor(*r.four(batch, *split, CHANNELS)),
        tensor(*r.four(batch, *reduced, CHANNELS), **y),
        TensorSpec((1,), "int32", data=np.array([r.lifted or 0], np.int32)),
    ]
    flat = r.lifted is None
    options: dict[str, OptionValue] = {"padding": "VALID", "stride_h": 1, "stride_w": 1}
    conv = "DEPTHWISE_CONV_2D" if r.depthwise else "CONV_2D"
    more: dict[str, OptionValue] = {"depth_multiplier": 1} if r.depthwise else {}
    views = [
        OpSpec("EXPAND_DIMS", (3, 11), (9,)),
        OpSpec("SQUEEZE", (10,), (5,), {"squeeze_dims": [r.lifted or 0]}),
    ]
    ops = [
        OpSpec("SPACE_TO_BATCH_ND", (0, 1, 2), (3,)),
        *([] if flat else views[:1]),
        OpSpec(conv, (3 if flat else 9, 4), (5 if flat else 10,), options | more),
        *([] if flat else views[1:]),
        OpSpec("BATCH_TO_SPACE_ND", (5, 6, 7), (8,)),
    ]
    return write_model(ModelSpec(tuple(tensors), tuple(ops), (0,), (8,)))


PLAIN = Recipe((8, 6), (2, 3), ((0, 0), (0, 0)), ((0, 0), (0, 0)), (3, 2))
SAME = Recipe((7, 8), (2, 2), ((2, 3), (2, 2)), ((0, 1), (0, 0)), (3, 3))
RECIPES = {
    "plain": PLAIN,
    "same": SAME,
    "same, other zero point": replace(SAME, zero_point=-20),
    "depthwise": replace(SAME, depthwise=True),
    "depthwise, other zero point": replace(SAME, depthwise=True, zero_point=127),
    "cropped beyond the border": replace(SAME, crops=((3, 0), (0, 3))),
    "one dimension": Recipe((13,), (4,), ((4, 7),), ((0, 3),), (1, 3), lifted=1),
    "one dimension, along rows": Recipe((13,), (4,), ((4, 7),), ((0, 3),), (3, 1), lifted=2),
    "causal": Recipe((10,), (2,), ((4, 0),), ((0, 0),), (1, 3), zero_point=5, lifted=1),
}


def simple_graph(recipe: Recipe) -> tuple[Graph, Graph]:
    before = parse(model(recipe), "dilated")
    after = simplify(before)
    check_supported(after)
    return before, after


@pytest.mark.parametrize("name", RECIPES)
def test_the_same_bytes(name: str) -> None:
    before, after = simple_graph(RECIPES[name])
    inputs = random_inputs(before, 1)
    golden = run_tflm(model(RECIPES[name]), inputs)[0]
    np.testing.assert_array_equal(run(before, inputs)[0], golden)
    np.testing.assert_array_equal(run(after, inputs)[0], golden)


def kinds(recipe: Recipe) -> list[str]:
    return [op.kind for op in simple_graph(recipe)[1].ops]


def test_what_is_left() -> None:
    """A border that is not zero in the terms of the convolution can't fold into it."""
    assert kinds(PLAIN) == kinds(SAME) == ["CONV_2D"]
    assert kinds(replace(SAME, depthwise=True)) == ["DEPTHWISE_CONV_2D"]
    assert kinds(replace(SAME, zero_point=-20)) == ["PADV2", "CONV_2D"]
    assert kinds(replace(SAME, crops=((3, 0), (0, 3)))) == ["CONV_2D", "STRIDED_SLICE"]
    assert kinds(RECIPES["one dimension"]) == ["RESHAPE", "CONV_2D", "RESHAPE"]


def test_dilation_is_the_block() -> None:
    (conv,) = simple_graph(PLAIN)[1].ops
    assert isinstance(conv, (Conv2D, DepthwiseConv2D))
    assert conv.dilation == (2, 3)


def test_other_blocks_are_left_alone() -> None:
    """Blocks that are put together otherwise than they were taken apart."""
    data = model(replace(PLAIN, sizes=(6, 6), block=(2, 3)))
    graph = parse(data, "other")
    behind = graph.ops[-1]
    turned = replace(behind.inputs[1], data=np.array([3, 2], np.int32))  # type: ignore[type-var]
    shape = (1, 3 * (6 // 2 - 2), 2 * (6 // 3 - 1), CHANNELS)
    y = replace(behind.y, shape=shape)
    last = type(behind)(behind.index, (behind.x, turned, behind.inputs[2]), (y,))  # type: ignore[call-arg]
    before = replace(graph, ops=(*graph.ops[:-1], last), outputs=(y,))
    assert fuse_dilation(before) == before
