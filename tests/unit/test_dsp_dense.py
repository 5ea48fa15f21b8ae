"""Packing of fully connected layers: what proves it, what the stream holds, the budget of the inner loop."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.backends.armv7em.dense import Dense, Packing, dense, expand_routine, expansion_instructions, stream
from tecompile.backends.armv7em.dense_block import best_split
from tecompile.backends.armv7em.fully_connected import Block, block_kernel
from tecompile.backends.armv7em.requant import Requant
from tecompile.graph import DType, Quant, Rounding, Tensor
from tecompile.ops.fully_connected import FullyConnected
from tests.tools.graphs import FULL

ONCE = Requant(False, 0, 9, FULL)


def layer(
    weights: np.ndarray,
    bias: int = 0,
    rounding: Rounding = Rounding.DOUBLE,
    zero: int = 0,
    scale: float = 0.0004,
) -> FullyConnected:
    """Inputs of zero point 0: the largest accumulator is 128 times the sum of what is negative, and the bias."""
    outputs, depth = weights.shape
    x = Tensor("x", (1, depth), DType.INT8, Quant((0.05,), (0,)))
    table = Tensor("w", weights.shape, DType.INT8, Quant((scale,), (zero,)), weights.astype(np.int8))
    biases = Tensor("b", (outputs,), DType.INT32, None, np.full(outputs, bias, np.int32))
    y = Tensor("y", (1, outputs), DType.INT8, Quant((0.05,), (3,)))
    return FullyConnected(0, (x, table, biases), (y,), FULL, rounding, "DEFAULT")


def packing(op: FullyConnected) -> Packing | None:
    made = dense(op)
    return None if made is None else made.packing


def test_packings_end_where_accumulators_no_longer_fit() -> None:
    for depth, bits, before, behind in ((256, 23, Packing.X256, Packing.I8), (1 << 16, 30, Packing.I8, None)):
        negative, scale = np.full((1, depth), -127), 100 / (1 << bits)
        room = (1 << bits) - 128 * 127 * depth
        assert packing(layer(negative, room - 1, scale=scale)) is before
        assert packing(layer(negative, room, scale=scale)) is behind


def test_a_half_has_no_room_for_minus_128_and_a_negative_neighbour() -> None:
    assert packing(layer(np.array([[-128, 0, 5, -128]]))) is Packing.X256
    assert packing(layer(np.array([[-128, -1, 5, 7]]))) is Packing.I8
    assert packing(layer(np.array([[5, 7, -128, -128]]))) is Packing.I8


def test_weights_keep_a_zero_point_if_the_differences_fit() -> None:
    assert packing(layer(np.array([[-20, 100, 5]]), zero=-20)) is Packing.X256
    assert packing(layer(np.array([[-20, 110, 5]]), zero=-20)) is None


def test_rounding_away_from_zero_is_left_to_c() -> None:
    assert packing(layer(np.array([[1, 2]]), rounding=Rounding.AWAY)) is None


def unpacked(made: Dense) -> np.ndarray:
    """The weights, from the words of one block."""
    outputs, groups = len(made.channels.bias), made.groups
    words = stream(made, (outputs,))[outputs : outputs * (1 + groups)].reshape(groups, outputs)
    if made.packing is Packing.I8:
        return np.ascontiguousarray(words.T).view(np.int8).reshape(outputs, -1)
    halves = np.ascontiguousarray(words.T).view(np.int16).astype(int).reshape(outputs, -1)
    second = halves.astype(np.int8).astype(int)
    return np.stack([(halves - second) // 256, second], axis=2).reshape(outputs, -1)


@pytest.mark.parametrize("first", [[5, 6], [-128, -1]], ids=["x256", "i8"])
@pytest.mark.parametrize("depth", [2, 4, 7, 10, 32])
def test_the_stream_holds_the_weights_and_zeros(depth: int, first: list[int]) -> None:
    weights = np.random.default_rng(1).integers(-127, 128, (5, depth))
    weights[0, :2] = first
    made = dense(layer(weights))
    assert made is not None
    assert (made.packing is Packing.I8) == (first[0] == -128)
    np.testing.assert_array_equal(unpacked(made)[:, :depth], weights)
    assert not unpacked(made)[:, depth:].any()


@pytest.mark.parametrize(
    ("packing", "outputs", "group"),
    [
        (Packing.X256, 4, 1 + 1 + 4 + 8),
        (Packing.X256, 5, 1 + 1 + 5 + 10),
        (Packing.X256, 6, 1 + 2 + 6 + 12),
        (Packing.X256, 8, 1 + 4 + 8 + 16),
        (Packing.I8, 4, 1 + 1 + 8 + 8),
    ],
)
def test_the_inner_group_meets_its_budget(packing: Packing, outputs: int, group: int) -> None:
    small, large = (block_kernel(Block(outputs, ONCE, packing, groups)) for groups in (11, 12))
    assert len(large.instructions) - len(small.instructions) == group


@pytest.mark.parametrize("outputs", range(1, 40))
@pytest.mark.parametrize("packing", Packing)
def test_every_number_of_outputs_is_split(packing: Packing, outputs: int) -> None:
    split = best_split(Block(1, ONCE, packing, 32), outputs)
    assert sum(split.sizes) == outputs
    assert len(set(split.sizes)) == len(split.used) <= 2
    for block in split.used:
        assert block_kernel(block).name.startswith(block.stem)


@pytest.mark.parametrize("packing", Packing)
def test_expansion_reads_no_byte_behind_the_last(packing: Packing) -> None:
    for inputs in (1, 2, 3, 5, 33, 36, 40, 64):
        function = expand_routine(packing, inputs).function
        assert expansion_instructions(packing, inputs) >= len(function.instructions) or inputs > 32
        loads = [i.text.split()[0] for i in function.instructions if i.base == "r0" and i.words]
        assert loads.count("ldrb") + loads.count("ldrh") == (0, 1, 1, 2)[inputs % 4]
