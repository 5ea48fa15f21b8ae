"""Depthwise routines as data: budgets, what they are chosen for, the proofs behind both packings."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tecompile.backends.armv7em import depthwise, requant
from tecompile.backends.armv7em.backend import FLASH_PRICES
from tecompile.backends.armv7em.depthwise import Choice, PolyBlocks, candidates, choose
from tecompile.backends.armv7em.depthwise_fill import Fill, Keep
from tecompile.backends.armv7em.depthwise_pairs import PairBlocks
from tecompile.backends.armv7em.depthwise_rows import count
from tecompile.backends.armv7em.depthwise_shape import FIELD, Sums, window
from tecompile.backends.armv7em.depthwise_stream import (
    channels_of,
    for_bytes,
    for_pairs,
    for_polynomials,
    pairs_stream,
    poly_stream,
)
from tecompile.backends.armv7em.depthwise_unpack import LARGEST_TABLE, Unpacking, byte_words, table_bytes
from tecompile.backends.armv7em.requant import INT8, Requant
from tecompile.graph import Array, Clamp, DType, Padding, Quant, Rounding
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.geometry import Pair
from tecompile.target import Form
from tests.tools.graphs import Builder

PRICE = FLASH_PRICES[0]
ONCE = Requant(False, 0, 10, INT8)
TWICE = Requant(True, 0, None, INT8)


def layer(size: int = 8, channels: int = 8, kernel: int = 3, stride: int = 1, zero: int = -128) -> DepthwiseConv2D:
    b = Builder(kernel)
    b.dw(b.input(1, size, size, channels), kernel, stride)
    op = b.ops[-1]
    assert isinstance(op, DepthwiseConv2D)
    return replace(op, outputs=(replace(op.y, quant=Quant((0.05,), (zero,))),))


def with_weights(op: DepthwiseConv2D, value: int) -> DepthwiseConv2D:
    data = np.full(op.weights.shape, value, np.int8)
    return replace(op, inputs=(op.x, replace(op.weights, data=data), op.bias))


def sums(kernel: int, stride: int = 1, columns: int = 20, how: Requant = ONCE) -> Sums:
    start = (kernel // 2) % 2
    words = (columns * stride + kernel) // 2 + 1
    return Sums(Pair(kernel, kernel), Pair(stride, stride), start, columns, words, 96, how)


@pytest.mark.parametrize(
    ("blocks", "outputs", "instructions"),
    [
        (PairBlocks(sums(3), "lr"), 4, 24 + 6 + 2 + 4 * 3),
        (PairBlocks(sums(3, how=TWICE), None), 4, 24 + 6 + 2 + 4 * 5 + 1),
        (PairBlocks(sums(3, 2), None), 5, 30 + 9 + 2 + 5 * 3 + 1),
        (PairBlocks(sums(5), None), 6, 5 * (18 + 3 + 2) + 2 + 6 * 3 + 1),
        (PairBlocks(sums(5, 2), "lr"), 6, 5 * (18 + 4 + 2) + 2 + 6 * 3),
    ],
)
def test_blocks_of_pairs_meet_their_budget(blocks: PairBlocks, outputs: int, instructions: int) -> None:
    assert count(list(blocks.block(0, outputs))) == instructions


def test_blocks_of_polynomials_meet_their_budget() -> None:
    """Three blocks, the five outputs of which they hold all of."""
    how = replace(TWICE, twice=False)
    assert count(list(PolyBlocks(sums(7, columns=5, how=how), 2).segment(5))) == 7 * 17 + 6 + 15 + 2 + 5 * 4 + 1


def test_copying_meets_its_budget() -> None:
    """24 instructions for 16 values as pairs, 32 as polynomials; two for 8 words that are kept."""
    for poly, each in ((False, 24), (True, 32)):
        long, short = (Fill(poly, columns, 96, 64, 0).function() for columns in (20, 16))
        assert count(long.lines) - count(short.lines) == each
    assert Keep(48).instructions(3) - Keep(48).instructions(2) == 2 * 6 + 2


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6, 7, 9])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("columns", [1, 2, 3, 7, 33, 100])
def test_all_shapes_obey_the_calling_convention(kernel: int, stride: int, columns: int) -> None:
    ways = itertools.product((ONCE, TWICE, replace(ONCE, shift=None)), (None, Unpacking.X256, Unpacking.X2))
    for how, unpacking in ways:
        walker = depthwise._walker(sums(kernel, stride, columns, how), None, unpacking)
        assert walker is not None
        function = walker.function()  # checked when made
        kind = unpacking.value if unpacking else "pairs"
        assert function.name.startswith(f"te_dw_{kind}_k{kernel}x{kernel}_s{stride}x{stride}_w{columns}_c96_")


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "left"),
    [(2, 7, 1, (3, 3)), (3, 7, 1, (5, 5)), (2, 5, 1, (3, 3)), (4, 7, 1, (7, 7)), (1, 3, 1, (1, 1)), (4, 7, 2, (6, 6))],
)
def test_taps_that_only_meet_the_border_are_left_out(
    size: int, kernel: int, stride: int, left: tuple[int, int]
) -> None:
    op = layer(size, kernel=kernel, stride=stride)
    assert window(op).kernel == left


def test_wide_kernels_take_polynomials_and_small_ones_pairs() -> None:
    chosen = {kernel: choose(layer(10, kernel=kernel), PRICE) for kernel in (3, 7)}
    assert {kernel: choice is not None and choice.poly for kernel, choice in chosen.items()} == {3: False, 7: True}


def taps(op: DepthwiseConv2D) -> Array:
    """[channels, rows, columns]"""
    return np.asarray(op.weight_values()[0].transpose(2, 0, 1).astype(np.int64))


def made(op: DepthwiseConv2D, unpacking: Unpacking | None, poly: bool = False) -> Choice:
    """Whether it is the best or not."""
    found = (c for c in depthwise._choices(op) if (c.walker.blocks.unpacking, c.poly) == (unpacking, poly))
    return next(found)


def test_pairs_hold_the_scaled_weights() -> None:
    op = layer(kernel=3)
    choice = made(op, None)
    assert choice.sums.requant.shift == 10
    words = pairs_stream(choice.proved, choice.sums).astype(np.int64).reshape(op.channels, -1)[:, 3:].reshape(-1, 3, 2)
    low, high = (words & 0xFFFF ^ 0x8000) - 0x8000, (words >> 16 ^ 0x8000) - 0x8000
    unscaled = np.stack([low[..., 0], high[..., 0], high[..., 1]], axis=-1)
    np.testing.assert_array_equal(high[..., 0], low[..., 1])
    scales = 11 + op.multipliers()[1]
    np.testing.assert_array_equal(unscaled, taps(op) << scales[:, None, None])


def test_polynomials_hold_the_weights() -> None:
    op = layer(10, kernel=7)
    choice = made(op, None, poly=True)
    assert choice.sums.start == 1
    words = poly_stream(choice.proved, choice.sums).view(np.int32).astype(np.int64).reshape(op.channels, -1)
    words = words[:, -28:].reshape(-1, 7, 4)
    first = words + (1 << (FIELD - 1)) >> FIELD
    second = words - (first << FIELD)
    padded = np.stack([first, second], axis=-1).reshape(-1, 7, 8)
    np.testing.assert_array_equal(padded[..., 1:], taps(op))
    assert not padded[..., 0].any()


def unpacked(words: Array, poly: bool = False) -> Array:
    """[channels, words of bytes] to [channels, words, two parts]"""
    data = words.astype(np.int64)[..., None] >> np.array([0, 8, 16, 24] if poly else [0, 16, 8, 24]) & 0xFF
    return ((data ^ 0x80) - 0x80).reshape(len(words), -1, 2)


def test_bytes_hold_the_weights() -> None:
    """Three words of them behind bias, mantissa and addend; a shift that channels do not share is in the bias."""
    op = layer(kernel=3)
    choice = made(op, Unpacking.X256)
    stream = choice.stream.reshape(op.channels, -1)
    assert stream.shape == (8, 6) and choice.walker.blocks.channel_words == 6
    parts = unpacked(stream[:, 3:]).reshape(-1, 3, 2, 2)
    np.testing.assert_array_equal(parts[:, :, 0], taps(op)[..., :2])
    np.testing.assert_array_equal(parts[:, :, 1], taps(op)[..., 1:])
    scales = tuple(float(s) for s in np.geomspace(1e-4, 1e-1, op.channels))
    op = replace(op, inputs=(op.x, replace(op.weights, quant=Quant(scales, (0,) * op.channels, 3)), op.bias))
    choice = made(op, Unpacking.X256)
    stream = choice.stream.reshape(op.channels, -1)
    assert choice.sums.requant.shift is None and stream.shape == (8, 6)
    np.testing.assert_array_equal(stream[:, 0] & 0xFF, 7 - op.multipliers()[1])


def test_bytes_of_polynomials_hold_the_weights() -> None:
    op = layer(10, kernel=7)
    choice = choose(op, PRICE)
    assert choice is not None and choice.poly and choice.walker.blocks.unpacking is Unpacking.POLY
    parts = unpacked(choice.stream.reshape(op.channels, -1)[:, -14:], poly=True)[..., ::-1].reshape(-1, 7, 8)
    np.testing.assert_array_equal(parts[..., 1:], taps(op))
    assert not parts[..., 0].any()


@pytest.mark.parametrize("how", Unpacking)
@pytest.mark.parametrize("words", [1, 3, 6, 15, 28])
def test_bytes_of_odd_numbers_of_words_are_padded(words: int, how: Unpacking) -> None:
    parts = np.arange(-words, words).reshape(1, words, 2)
    found = unpacked(byte_words(parts, how), poly=how is Unpacking.POLY)
    assert found.shape[1] == 2 * -(-words // 2)
    np.testing.assert_array_equal(found[:, :words], parts)
    assert not found[:, words:].any() and table_bytes(4, words) % 8 == 0


def with_bias(op: DepthwiseConv2D, value: int) -> DepthwiseConv2D:
    assert op.bias is not None
    return replace(op, inputs=(op.x, op.weights, replace(op.bias, data=np.full(op.bias.shape, value, np.int32))))


@pytest.mark.parametrize(("largest", "fits"), [((1 << 23) - 1, True), (1 << 23, False)])
def test_accumulators_times_256_are_proved(largest: int, fits: bool) -> None:
    op = replace(layer(), rounding=Rounding.SINGLE)
    assert op.x.quant is not None
    bias = largest - 9 * 127 * (127 - op.x.zero_point)
    scale = op.x.quant.scales[0] * (1 << 23) / 60
    weights = replace(op.weights, quant=Quant((1.0,), (0,)))
    op = replace(op, inputs=(op.x, weights, op.bias), outputs=(replace(op.y, quant=Quant((scale,), (0,))),))
    op = with_bias(with_weights(op, 127), bias)
    channels = channels_of(op, window(op))
    assert channels.extremes.max() == largest
    found = [unpacking for unpacking, _ in for_bytes(op, channels)]
    assert (Unpacking.X256 in found) == fits


def test_weights_of_nine_bits_do_not_fit_bytes() -> None:
    op = layer()
    negative = replace(op.weights, quant=Quant(op.factors()[:1], (1,)))
    for value, fits in ((-126, True), (-127, True), (-128, False)):
        legacy = with_weights(replace(op, inputs=(op.x, negative, op.bias), legacy=True), value)
        assert any(for_bytes(legacy, channels_of(legacy, window(legacy)))) == fits


@pytest.mark.parametrize(("flash_price", "unpacking"), [(PRICE, Unpacking.X256), (0, None)])
def test_words_are_chosen_where_they_save_enough(flash_price: int, unpacking: Unpacking | None) -> None:
    """Bytes cost instructions for each channel, words cost flash."""
    choice = choose(layer(), flash_price)
    assert choice is not None and choice.walker.blocks.unpacking is unpacking
    assert choice.stream.nbytes == 8 * 4 * (6 if unpacking else 9)


def test_tables_are_of_bounded_size() -> None:
    walker = depthwise._walker(sums(9), None, Unpacking.X256)
    assert walker is not None and 0 < walker.blocks.table_bytes <= LARGEST_TABLE
    assert depthwise._walker(sums(13), None, Unpacking.X256) is None


@pytest.mark.parametrize(("kernel", "value", "fits"), [(8, 127, True), (8, -128, False), (7, -128, True)])
def test_fields_of_polynomials_are_proved(kernel: int, value: int, fits: bool) -> None:
    """64 taps of -128 times -128 are 2^20, one more than a field holds."""
    op = with_weights(layer(16, kernel=kernel), value)
    channels = channels_of(op, window(op))
    assert (for_polynomials(op, channels) is not None) == fits
    assert for_pairs(op, channels) is not None


def test_weights_that_no_half_could_hold_scaled_keep_their_own_shift() -> None:
    op = layer()
    scales = tuple(float(s) for s in np.geomspace(1e-4, 1e-1, op.channels))
    quant = Quant(scales, (0,) * op.channels, 3)
    op = replace(op, inputs=(op.x, replace(op.weights, quant=quant), op.bias))
    choice = choose(op, PRICE)
    assert choice is not None and choice.sums.requant.shift is None
    assert choice.proved.largest < 1 << 15


def test_candidates_say_what_they_may_overwrite() -> None:
    whole, *strips = candidates(layer(), PRICE)
    assert (whole.form, whole.in_place, whole.by_channel) == (Form.WHOLE, (0,), ())
    assert [(c.form, c.in_place, c.by_channel, c.strip_rows) for c in strips] == [
        (Form.STRIP, (), (0,), rows) for rows in (4, 2, 1)
    ]
    assert strips[0].instructions < strips[2].instructions and strips[0].scratch_bytes > strips[2].scratch_bytes


def test_large_images_roll_through_few_plane_rows() -> None:
    """Planes of all rows would be half as large as the image."""
    op = layer(80, channels=16)
    whole = candidates(op, PRICE)[0]
    assert whole.spec["rolls"] and whole.scratch_bytes * 8 < op.x.nbytes


def test_outputs_that_would_overtake_the_input_do_not_roll() -> None:
    """Far more rows of border above than below: the first outputs lie on inputs that no plane has room for."""
    op = layer(6)
    b = Builder()
    b.dw(b.input(1, 40, 4, 4))
    tall = b.ops[-1]
    assert isinstance(tall, DepthwiseConv2D)
    wide = replace(tall, padding=Padding(1, 1, 1, 1))
    choice = choose(wide, PRICE)
    assert choice is not None and depthwise._reads_first(wide, choice, 1)
    shifted = replace(wide, padding=Padding(2, 0, 1, 1))
    choice = choose(shifted, PRICE)
    assert choice is not None and depthwise._reads_first(shifted, choice, 1)
    wider = replace(wide, padding=Padding(2, 0, 2, 2), outputs=(replace(wide.y, shape=(1, 40, 6, 4)),))
    choice = choose(wider, PRICE)
    assert choice is not None and not depthwise._reads_first(wider, choice, 1)
    assert op.kernel == (3, 3)


@pytest.mark.parametrize(
    "op",
    [
        layer(channels=3),
        replace(layer(), rounding=Rounding.AWAY),
        replace(layer(), dilation=Pair(2, 2)),
        replace(layer(), inputs=(replace(layer().x, dtype=DType.INT16), *layer().inputs[1:])),
    ],
)
def test_what_is_not_proved_is_left_to_c(op: DepthwiseConv2D) -> None:
    assert candidates(op, PRICE) == ()


def test_weights_may_keep_a_zero_point() -> None:
    """As networks of uint8 have it: nine bits."""
    op = layer(kernel=5)
    quant = Quant(op.factors()[:1], (97,))
    op = replace(op, inputs=(op.x, replace(op.weights, quant=quant), op.bias), legacy=True)
    choice = choose(op, PRICE)
    assert choice is not None and choice.proved.largest > 128


def test_any_bounds_are_taken() -> None:
    choice = choose(replace(layer(), clamp=Clamp(-100, 50)), PRICE)
    assert choice is not None and choice.sums.requant.clamp == (-100, 50)


def test_negative_factors_are_settled() -> None:
    op = layer()
    channels = channels_of(op, window(op))
    assert (requant.positive(channels).mantissas >= 0).all()
