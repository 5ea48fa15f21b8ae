"""Requantisation of the assembly: what its instructions compute equals TFLite's arithmetic wherever it is proved."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tecompile.arith import rescale
from tecompile.backends.armv7em.requant import Kind, Requant, positive, scaling
from tecompile.backends.armv7em.requant_shared import with_one_shift
from tecompile.backends.native.packing import Channels, settled_channels
from tecompile.graph import Array, Clamp, Quant, Rounding, Tensor
from tecompile.ops.conv2d import Conv2D
from tests.tools.graphs import FULL, Builder

CHANNELS = 6
SCALES = (0, 1, 2, 5, 8)


def operator(seed: int) -> Conv2D:
    b = Builder(seed)
    b.conv(b.input(1, 1, 1, int(b.random.choice([1, 4, 64]))), CHANNELS)
    op = b.ops[0]
    assert isinstance(op, Conv2D) and op.bias is not None
    scales = b.random.uniform(0.001, 0.01, CHANNELS) * 2.0 ** b.random.integers(-9, 4, CHANNELS)
    scales *= b.random.choice([1, 1, 1, -1, 0], CHANNELS)
    quant = Quant(tuple(float(np.float32(s)) for s in scales), (0,) * CHANNELS, 0)
    bias = b.random.integers(-3000, 3000, CHANNELS) * int(b.random.choice([0, 1, 100, 100000]))
    scale, zero = float(b.random.choice([0.001, 0.05, 3.0, 400.0])), int(b.random.choice([-128, -128, 0, 99]))
    low = int(b.random.choice([-128, -128, -20]))
    return replace(
        op,
        inputs=(op.x, replace(op.weights, quant=quant), replace(op.bias, data=bias.astype(np.int32))),
        outputs=(Tensor("y", op.y.shape, op.y.dtype, Quant((scale,), (zero,))),),
        clamp=Clamp(low, 60) if b.random.integers(0, 2) else FULL,
        rounding=Rounding(b.random.choice([Rounding.DOUBLE.value, Rounding.SINGLE.value])),
    )


def accumulators(channels: Channels, random: np.random.Generator) -> Array:
    """[values, channels]: any that may occur, the ends, and those near zero and near ties of outputs."""
    low, high = channels.extremes
    any_at_all = low + (random.random((200, CHANNELS)) * (high - low)).astype(np.int64)
    real = channels.mantissas * 2.0 ** (channels.shifts - 31)
    ties = np.rint((random.integers(-140, 140, (200, 1)) + 0.5) / real).astype(np.int64)
    near = ties + random.integers(-2, 3, ties.shape)
    small = np.broadcast_to(random.integers(-9, 10, (50, 1)), (50, CHANNELS))
    values = np.concatenate([any_at_all, near, small, low[None], high[None]])
    return np.asarray(np.clip(values, low, high))


def finished(requant: Requant, words: Array, acc: Array) -> Array:
    """The instructions, each on 32 bits that must not wrap."""
    mantissas, addends = (words[:, i].astype(np.uint32).view(np.int32).astype(np.int64) for i in (0, 1))
    shifts = words[:, 2].astype(np.int64) & 0xFF if requant.shift is None else requant.shift
    acc = acc >> requant.before if requant.before >= 0 else acc << -requant.before
    assert np.abs(acc).max() < 1 << 31
    signs = acc >> 31
    if requant.kind is Kind.MIXED:
        signs = np.where(words[:, 2] >> 31, signs, 0)
    addends = addends + (signs if requant.twice else 0)
    value = (acc * mantissas + (1 << 31 if requant.twice or requant.rounded else 0) >> 32) + addends
    assert np.abs(value).max() < 1 << 31
    return np.asarray(np.clip(value >> shifts, *requant.clamp))


def compared(seed: int) -> list[Kind]:
    """The forms that were found for all scales of one operator."""
    op, found = operator(seed), []
    channels = positive(settled_channels(op, op.weight_values().reshape(CHANNELS, -1)))
    assert (channels.mantissas > 0).all()
    acc = accumulators(channels, np.random.default_rng(seed))
    exact = rescale(acc, channels.mantissas, channels.shifts, op.rounding) + op.y.zero_point
    right = -channels.shifts
    for scale in (*SCALES, np.maximum(right.max(), 1) + 2 - right, 1 + np.maximum(channels.shifts, 0)):
        made = scaling(op, channels, scale)
        if made is not None:
            found.append(made.requant.kind)
            result = finished(made.requant, made.words, acc << scale)
            np.testing.assert_array_equal(result, np.clip(exact, *op.clamp), f"{seed} {scale} {made.requant}")
    return found


def test_all_forms_equal_tflite() -> None:
    found = Counter(kind for seed in range(400) for kind in compared(seed))
    assert min(found[kind] for kind in Kind) > 20, found


def test_one_shift_for_all_is_exact_for_every_accumulator() -> None:
    """Each channel's own shift differs; what all share is proved on 255 steps, and here on everything."""
    shared = 0
    for seed in range(40):
        op, random = operator(seed), np.random.default_rng(seed)
        bias = random.integers(-9000, 9000, CHANNELS)
        weights = random.integers(-127, 128, (CHANNELS, 4))
        mantissas, shifts = random.integers(1 << 30, 1 << 31, CHANNELS), -random.integers(5, 10, CHANNELS)
        channels = Channels(weights, bias, mantissas, shifts)
        found = with_one_shift(op, channels, np.full(CHANNELS, 8), 7 - shifts, rounded=False)
        if found is None:
            continue
        low, high = channels.extremes
        acc = np.minimum(low + np.arange((high - low).max() + 1)[:, None], high)
        exact = np.clip(rescale(acc, mantissas, shifts, op.rounding) + op.y.zero_point, *op.clamp)
        value = ((256 * acc * found[0] >> 32) + found[1]) >> found[2]
        np.testing.assert_array_equal(np.clip(value, *op.clamp), exact)
        shared += 1
    assert shared > 12


def test_other_rounding_is_refused() -> None:
    op = replace(operator(1), rounding=Rounding.AWAY)
    channels = positive(settled_channels(replace(op, rounding=Rounding.DOUBLE), op.weight_values().reshape(6, -1)))
    assert scaling(op, channels, 1) is None


@pytest.mark.parametrize("scale", [1, 8])
def test_accumulators_beyond_32_bits_are_refused(scale: int) -> None:
    op = operator(3)
    channels = positive(settled_channels(op, op.weight_values().reshape(CHANNELS, -1)))
    huge = replace(channels, bias=channels.bias + (1 << 31 - scale))
    assert scaling(op, huge, scale) is None


@pytest.mark.parametrize("scale", [3, 33, 36, 60])
def test_no_scale_hides_how_far_accumulators_go(scale: int) -> None:
    """Times 2^36 this one would leave even 64 bits, and look like 0."""
    factor = np.array([1 << 30]), np.array([27])
    channels = Channels(np.zeros((1, 1), np.int64), np.array([-1 << 28]), *factor)
    assert scaling(operator(1), channels, scale) is None
