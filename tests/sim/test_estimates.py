"""What portable kernels are said to take is what they take: where it is wrong, the planner takes the slower one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tecompile.graph import Clamp, DType, Op, Quant, Rounding, Tensor
from tecompile.ops.add import Add, Sub
from tecompile.ops.fully_connected import FullyConnected
from tecompile.ops.mean import Mean
from tecompile.ops.mul import Mul
from tecompile.ops.scaled import ScaledOp
from tecompile.target import Candidate
from tests.tools.graphs import FULL, Builder

from .layers import compiled, counts, side_by_side

BOARD = "nucleo-f412zg"
RELU, BOTH = Clamp(3, 127), Clamp(-20, 90)
SMALL, LARGE = 0.3, 0.7  # factors: shifted to the right only, and not
ONCE, TWICE = Rounding.SINGLE, Rounding.DOUBLE
Layer = Callable[[Builder], Op]


def is_portable(candidate: Candidate) -> bool:
    return candidate.backend != "armv7em"


def is_strip(candidate: Candidate) -> bool:
    return is_portable(candidate) and candidate.kernel != "te_depthwise_whole"


def tensor(b: Builder, shape: tuple[int, ...], scale: float, zero: int) -> Tensor:
    return replace(b.tensor(*shape), quant=Quant((scale,), (zero,)))


def taken(b: Builder) -> ScaledOp:
    """The operator that was built last."""
    op = b.ops.pop()
    assert isinstance(op, ScaledOp)
    return op


def scaled(op: ScaledOp, factor: float, clamp: Clamp, rounding: Rounding) -> ScaledOp:
    """With factors a little above this one."""
    assert op.weights.quant is not None
    scales = tuple(factor * op.y.scale / op.x.scale * (1 + i / 1000) for i in range(op.channels))
    weights = replace(op.weights, quant=Quant(scales, (0,) * op.channels, op.channel_axis))
    return replace(op, inputs=(op.x, weights, op.bias), clamp=clamp, rounding=rounding)


def conv(
    size: tuple[int, int, int],
    channels: int,
    kernel: int,
    stride: int = 1,
    factor: float = SMALL,
    clamp: Clamp = FULL,
    rounding: Rounding = TWICE,
) -> Layer:
    def make(b: Builder) -> Op:
        b.conv(b.input(1, *size), channels, kernel, stride)
        return scaled(taken(b), factor, clamp, rounding)

    return make


def depthwise(
    size: tuple[int, int, int],
    kernel: int,
    stride: int = 1,
    factor: float = SMALL,
    clamp: Clamp = FULL,
    rounding: Rounding = TWICE,
) -> Layer:
    def make(b: Builder) -> Op:
        b.dw(b.input(1, *size), kernel, stride)
        return scaled(taken(b), factor, clamp, rounding)

    return make


def dense(depth: int, outputs: int, factor: float = SMALL, clamp: Clamp = FULL, rounding: Rounding = TWICE) -> Layer:
    def make(b: Builder) -> Op:
        b.conv(b.tensor(1, 1, 1, depth), outputs)
        op = taken(b)
        assert op.weights.data is not None
        weights = replace(op.weights, shape=(outputs, depth), data=op.weights.data.reshape(outputs, depth))
        x, y = b.tensor(1, depth), b.tensor(1, outputs)
        layer = FullyConnected(op.index, (x, weights, op.bias), (y,), FULL, TWICE, "DEFAULT")
        return scaled(layer, factor, clamp, rounding)

    return make


def pair(
    kind: type[Add | Sub | Mul],
    scales: tuple[float, float, float],
    clamp: Clamp = FULL,
    rounding: Rounding = TWICE,
    other: tuple[int, ...] = (10, 10, 8),
    constant: bool = False,
) -> Layer:
    def make(b: Builder) -> Op:
        x, y = (tensor(b, (1, 10, 10, other[-1] if constant else 8), s, 3) for s in (scales[0], scales[2]))
        second = tensor(b, (1, *other), scales[1], -5)
        if constant:
            second = replace(second, data=b.random.integers(-128, 128, second.shape).astype(np.int8))
        return kind(len(b.ops), (x, second), (y,), clamp, rounding)

    return make


def mean(shape: tuple[int, ...], *axes: int, rounding: Rounding = TWICE) -> Layer:
    def make(b: Builder) -> Op:
        along = Tensor(f"axes{b.names}", (len(axes),), DType.INT32, None, np.array(axes, np.int32))
        y = b.tensor(*(1 if i in axes else n for i, n in enumerate(shape)))
        return Mean(len(b.ops), (b.tensor(*shape), along), (y,), axes, True, rounding)

    return make


SUM, UP = (0.05, 0.04, 0.07), (0.9, 0.1, 0.0007)  # a linear form, and none
MIXED = [(factor, rounding) for factor in (SMALL, LARGE) for rounding in (ONCE, TWICE)]
DEPTHWISE = [
    *(depthwise((8, 8, 8), 3, factor=factor, rounding=rounding) for factor, rounding in MIXED),
    depthwise((8, 8, 8), 3, clamp=BOTH),
    depthwise((9, 13, 6), 3, 2, factor=LARGE),
    depthwise((16, 16, 4), 5),
]
LAYERS = {
    "sums": [
        *(pair(Add, SUM, clamp) for clamp in (FULL, RELU, BOTH)),
        *(pair(Sub, SUM, clamp) for clamp in (FULL, RELU)),
        *(pair(Add, SUM, clamp, other=(10, 10, 1)) for clamp in (FULL, RELU)),
        *(pair(Add, SUM, other=(1, 1, n), constant=True) for n in (8, 16)),
        *(pair(Add, UP, clamp, rounding) for clamp in (FULL, RELU) for rounding in (ONCE, TWICE)),
    ],
    "products": [
        *(pair(Mul, SUM, clamp) for clamp in (FULL, RELU)),
        *(pair(Mul, (0.5, factor, 0.5), rounding=rounding) for factor in (0.8, 2.3, 20) for rounding in (ONCE, TWICE)),
        dense(12, 40, LARGE),  # or else the compiler makes a shorter te_rescale_rest for the factors above
    ],
    "dense": [
        *(dense(12, 40, factor, rounding=rounding) for factor, rounding in MIXED),
        *(dense(64, outputs) for outputs in (3, 8, 19)),
        dense(12, 40, clamp=BOTH),
    ],
    "convolutions": [
        *(conv((8, 8, 8), 8, 1, factor=factor, rounding=rounding) for factor, rounding in MIXED),
        conv((8, 8, 8), 8, 1, clamp=BOTH),
        *(conv((8, 7, 8), channels, 1) for channels in (1, 3, 5)),
        conv((4, 3, 32), 3, 3),
        conv((7, 2, 16), 3, 9),
    ],
    "depthwise": DEPTHWISE,
    "depthwise strips": DEPTHWISE,
    "means": [
        *(mean((1, 8, 12, 7), *axes) for axes in ((1,), (2,), (3,), (1, 3), (1, 2, 3))),
        mean((1, 8, 3, 7), 2),  # whose factor is 1/3 without a shift
        mean((1, 8, 12, 7), 1, rounding=ONCE),
    ],
}


@pytest.mark.sim
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="another compiler counts otherwise")
@pytest.mark.parametrize("name", LAYERS)
def test_portable_kernels_take_what_they_are_said_to(name: str) -> None:
    b, wanted = Builder(), is_strip if "strips" in name else is_portable
    ops = [replace(make(b), index=i) for i, make in enumerate(LAYERS[name])]
    graph = side_by_side("estimates", ops)
    choices = compiled(graph, BOARD, wanted)[0].plan.choices
    guesses = [choices[op].instructions for op in ops]
    np.testing.assert_allclose(guesses, counts(graph, BOARD, wanted), rtol=0.15)
