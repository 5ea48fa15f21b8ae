"""Requantisation of int16 layers: what the instructions compute is what TFLite does, for all accumulators."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.arith import saturate
from tecompile.backends.armv7em import wide_depthwise, wide_fc
from tecompile.backends.armv7em.requant import Scaling
from tecompile.backends.armv7em.wide_depthwise_block import DepthwiseBlock, Window, block_kernel
from tecompile.backends.armv7em.wide_requant import INT16, WideRequant, wide_channels, wide_scaling
from tecompile.graph import Array, Clamp, DType, Quant, Rounding, Tensor
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.fully_connected import FullyConnected
from tests.tools.graphs import Builder

DEPTH, CHANNELS = 40, 6
RELU = Clamp(0, 32767)


def layer(
    bias: DType = DType.INT64,
    clamp: Clamp = INT16,
    rounding: Rounding = Rounding.DOUBLE,
    factors: tuple[float, ...] = (2.0**-8,) * CHANNELS,
    most: int = 127,
    values: int = 0,
) -> FullyConnected:
    random = np.random.default_rng(len(factors))
    data = random.integers(-most, most + 1, (CHANNELS, DEPTH)).astype(np.int8)
    x = Tensor("x", (1, DEPTH), DType.INT16, Quant((1.0,), (0,)))
    weights = Tensor("w", data.shape, DType.INT8, Quant(factors, (0,) * CHANNELS, 0), data)
    biases = Tensor("b", (CHANNELS,), bias, None, np.full(CHANNELS, values, bias.numpy))
    y = Tensor("y", (1, CHANNELS), DType.INT16, Quant((1.0,), (0,)))
    return FullyConnected(0, (x, weights, biases), (y,), clamp, rounding, "DEFAULT")


def scaled(op: FullyConnected) -> Scaling | None:
    return wide_scaling(op, wide_channels(op, op.weight_values()))


def executed(scaling: Scaling, acc: Array, clamp: Clamp) -> Array:
    """By the instructions, on Python's integers."""
    how, (mantissas, addends, *shifts) = scaling.requant, scaling.words.T
    moved = acc.astype(object) << -how.before
    half = 1 << 31 if how.twice else 0
    sign = np.where(moved < 0, 1, 0) if how.twice else 0
    product = (moved * mantissas.astype(object) + half) >> 32
    total = product + addends - sign
    assert abs(moved).max() < 1 << 31
    assert abs(total).max() < 1 << 31
    shift = shifts[0].astype(object) if shifts else how.shift
    return np.clip((total >> shift).astype(np.int64), *clamp)


FACTORS = {
    "one": (2.0**-8,) * CHANNELS,
    "ties": (2.0**-3, 2.0**-9, 2.0**-12, 2.0**-5, 2.0**-3, 2.0**-4),
    "any": (0.1, 0.007, 1.3e-4, 3e-3, 0.2, 1e-5),
    "negative": (0.1, -0.007, 1.3e-4, -3e-3, -0.2, 1e-5),
    "largest mantissas": (0.25 - 2.0**-30, 2.0**-4 - 2.0**-20, 0.1, 0.1, 0.1, 0.1),
}


@pytest.mark.parametrize("factors", FACTORS)
@pytest.mark.parametrize("bias", [DType.INT64, DType.INT32])
@pytest.mark.parametrize(
    ("clamp", "rounding"), [(INT16, Rounding.DOUBLE), (RELU, Rounding.DOUBLE), (INT16, Rounding.SINGLE)]
)
def test_instructions_round_as_tflite(factors: str, bias: DType, clamp: Clamp, rounding: Rounding) -> None:
    op = layer(bias, clamp, rounding, FACTORS[factors])
    channels = wide_channels(op, op.weight_values())
    scaling = wide_scaling(op, channels)
    assert scaling is not None
    low, high = channels.extremes
    random = np.random.default_rng(1)
    near = random.integers(-5000, 5000, (2000, CHANNELS))
    acc = np.concatenate([low[None], high[None], random.integers(low, high, (2000, CHANNELS)), near])
    sign = np.where(np.array(op.factors()) < 0, -1, 1)
    expected = saturate(op.scaled(acc * sign), clamp, DType.INT16)
    np.testing.assert_array_equal(executed(scaling, acc, clamp), expected)


def test_wide_factors_share_a_shift_and_need_two_words() -> None:
    scaling = scaled(layer(factors=FACTORS["any"]))
    assert scaling is not None
    assert (scaling.requant.shift, scaling.requant.words, scaling.requant.per_output) == (1, 2, 2)


@pytest.mark.parametrize(
    "op",
    [
        layer(values=(1 << 31) - 1),  # sums beyond 32 bits
        layer(factors=(0.5,) * CHANNELS),  # shifts too short
        layer(factors=(0.1, 2.0**-25, *(0.1,) * 4)),  # shifts too far from each other
        layer(DType.INT32, factors=(2.0**-20,) * CHANNELS, values=1 << 30),  # sums that can't be doubled
        layer(rounding=Rounding.AWAY),
    ],
)
def test_what_can_not_be_proved_is_not_offered(op: FullyConnected) -> None:
    assert not wide_fc.candidates(op)


def test_constant_channels_do_not_decide_the_shift() -> None:
    op = layer(factors=(0.1, 1e-30, *(0.1,) * 4))
    assert wide_fc.candidates(op)


@pytest.mark.parametrize(
    ("clamp", "found"),
    [
        (INT16, "ssat r4, #16, r4, asr #1"),
        (RELU, "usat r4, #15, r4, asr #1"),
        (Clamp(0, 255), "usat r4, #8, r4, asr #1"),
    ],
)
def test_bounds_that_are_a_saturation(clamp: Clamp, found: str) -> None:
    lines = list(WideRequant(False, 0, 1, clamp).instructions(["r4"], "r2", "r3", "", "lr"))
    assert [str(line) for line in lines] == ["smmla r4, r4, r2, r3", found]


def test_other_bounds_are_compared() -> None:
    requant = WideRequant(False, 0, 1, Clamp(-300, 30000))
    lines = list(requant.instructions(["r4"], "r2", "r3", "", "lr"))
    assert sum(line.count for line in lines) == requant.per_output + 3  # the constants


# --- rows in blocks -----------------------------------------------------------------------------------------------


def depthwise(columns: int, kernel: int, stride: int = 1, hole: int = 1) -> DepthwiseConv2D:
    b = Builder(1, DType.INT16)
    b.dw(b.input(1, 9, columns, 4), kernel, stride, hole=hole)
    op = b.ops[0]
    assert isinstance(op, DepthwiseConv2D)
    return op


@pytest.mark.parametrize("columns", [1, 2, 4, 5, 7, 8, 9, 10, 13, 20, 33])
@pytest.mark.parametrize(
    ("kernel", "stride", "hole"), [(3, 1, 1), (5, 1, 1), (7, 1, 1), (3, 2, 1), (5, 2, 1), (3, 1, 2)]
)
def test_blocks_cover_each_row(columns: int, kernel: int, stride: int, hole: int) -> None:
    """Inner blocks are the same code: none of them may see a border."""
    made = wide_depthwise.depthwise_of(depthwise(columns, kernel, stride, hole))
    assert made is not None
    blocks = list(made.blocks())
    covered = {start + i for start, block in zip(made.starts, blocks, strict=True) for i in range(block.outputs)}
    assert covered == set(range(made.columns))
    assert len(set(blocks[1:-1])) <= 1
    assert not any(block.has_border for block in blocks[1:-1])


def test_instructions_of_a_depthwise_block() -> None:
    """3x3 on 4 outputs of 2 channels: 130 instructions for 72 products."""
    block = DepthwiseBlock(Window(3, 3, 1, 1), WideRequant(False, 0, 1, INT16), 32, 4, 0, 6, 8)
    lines = [str(line) for line in block_kernel(block).lines]
    assert len(lines) - lines.index("1:") - 3 == 130  # the label, and what returns
