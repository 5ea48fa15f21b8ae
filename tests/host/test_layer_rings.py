"""Layers of other types, and transposed ones, from rings to rings that wrap at any pixel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tecompile.backends.native import NativeTarget
from tecompile.graph import Clamp, DType, Graph, Op, Padding, Quant, Rounding, Tensor
from tecompile.ops.geometry import Pair
from tecompile.ops.scaled import ScaledOp
from tecompile.ops.transpose_conv import TransposeConv

from .chains import FULL, RNG, Layer, chain, conv, copy, dw, output
from .test_rings import check, ring_plans, shared


def transposed(kernel: int, stride: int, channels: int = 3) -> Layer:
    def make(index: int, x: Tensor) -> Op:
        scale = 0.5 / np.sqrt(kernel * kernel * x.image.channels) / 74
        data = RNG.integers(-127, 128, (channels, kernel, kernel, x.image.channels), dtype=np.int8)
        weights = Tensor(f"w{index}", data.shape, DType.INT8, Quant((float(np.float32(scale)),), (0,)), data)
        y = output(index, x.image.rows * stride, x.image.columns * stride, channels)
        before = max(0, kernel - stride) // 2
        padding = Padding(before, 0, before, 0)
        pairs = (Pair(kernel, kernel), Pair(stride, stride))
        return TransposeConv(index, (None, weights, x), (y,), FULL, Rounding.DOUBLE, *pairs, padding)

    return make


def offset(layer: Layer) -> Layer:
    """As uint8 layers become: weights with a zero point that can't be folded."""

    def make(index: int, x: Tensor) -> Op:
        op = layer(index, x)
        assert isinstance(op, ScaledOp)
        weights = replace(op.weights, quant=Quant(op.factors()[:1], (97,)))
        change: dict[str, Any] = {"inputs": tuple(weights if t is op.weights else t for t in op.inputs), "legacy": True}
        return replace(op, **change)

    return make


def wide(graph: Graph) -> Graph:
    """The same on int16."""
    twins = {t: _wide(t) for t in graph.tensors}
    ops = []
    for op in graph.ops:
        change: dict[str, Any] = {
            "inputs": tuple(t if t is None else twins[t] for t in op.inputs),
            "outputs": (twins[op.y],),
            "clamp": Clamp(-32768, 32767),
        }
        ops.append(replace(op, **change))
    return Graph("wide", tuple(ops), tuple(twins[t] for t in graph.inputs), tuple(twins[t] for t in graph.outputs))


def _wide(tensor: Tensor) -> Tensor:
    if tensor.dtype is DType.INT32:
        assert tensor.data is not None
        return replace(tensor, dtype=DType.INT64, data=tensor.data.astype(np.int64) * 200)
    assert tensor.quant is not None
    quant = Quant(tensor.quant.scales, (0,) * len(tensor.quant.scales), tensor.quant.axis)
    return replace(tensor, dtype=tensor.dtype if tensor.is_constant else DType.INT16, quant=quant)


GRAPHS = {
    "transposed": chain([conv(3, 1), transposed(3, 2), dw(3, 1), transposed(2, 3), copy], 5, 4, 2),
    "gaps": chain([transposed(1, 3), transposed(4, 1), copy], 4, 3, 2),
    "offset": chain([offset(conv(3, 1)), offset(dw(3, 1)), offset(conv(1, 2, 4)), copy], 7, 6, 3),
    "wide": wide(chain([conv(3, 1), dw(3, 2), conv(1, 1, 4), conv(3, 2, 3)], 9, 8, 3)),
    "wide transposed": wide(chain([conv(1, 1), transposed(3, 2), dw(3, 1, 2), transposed(2, 2)], 5, 4, 2)),
}


def test_these_kernels_are_of_strips() -> None:
    """Or the test below would not see them."""
    kernels = {NativeTarget().candidates(op)[0].kernel for graph in GRAPHS.values() for op in graph.ops}
    wanted = {"te_conv2d", "te_pointwise", "te_depthwise", "te_transpose_conv"}
    assert wanted | {f"{name}_16" for name in wanted} <= kernels


@shared
@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, some: slice, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    check(list(ring_plans(GRAPHS[name], rng, some=some)), tmp_path, rng)
