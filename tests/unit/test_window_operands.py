"""The order in which windows become operands, and what that takes."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.backends.armv7em.cycles import executed
from tecompile.backends.armv7em.operands import Operands
from tecompile.backends.armv7em.window_expand import routine
from tecompile.backends.armv7em.window_shape import Expansion, Window, in_reach

SHAPES = [(3, 9), (10, 4), (3, 64), (1, 1), (5, 15), (3, 3), (2, 6), (70, 3), (100, 5), (4, 4100)]


def taken(window: Window) -> list[tuple[int, int]]:
    """Segment and byte of every place that is not filled up."""
    places = np.arange(1, window.segments * window.segment + 1)[None]
    return [divmod(int(n) - 1, window.segment) for n in window.ordered(places)[0] if n]


@pytest.mark.parametrize(("segments", "segment"), SHAPES)
def test_every_input_has_one_place(segments: int, segment: int) -> None:
    window = Window(segments, segment)
    found = taken(window)
    assert sorted(found) == [(s, byte) for s in range(segments) for byte in range(segment)]
    assert len(found) <= 4 * window.groups < len(found) + 4


def test_the_first_layer_packs_its_left_over_bytes() -> None:
    assert Window(3, 9).groups == 7
    assert taken(Window(3, 9))[-3:] == [(0, 8), (1, 8), (2, 8)]


def test_first_words_of_all_taps_come_first() -> None:
    found = taken(Window(2, 24, taps=3))
    assert [byte for _, byte in found[:24:4]] == [0, 8, 16, 4, 12, 20]
    assert sorted(found) == [(s, byte) for s in range(2) for byte in range(24)]


@pytest.mark.parametrize("operands", Operands)
@pytest.mark.parametrize("pitch", [0, 1, 64])
@pytest.mark.parametrize(("segments", "segment"), SHAPES)
def test_all_shapes_can_be_generated(segments: int, segment: int, pitch: int, operands: Operands) -> None:
    window = Window(segments, segment)
    if in_reach(window, pitch):
        assert routine(Expansion(window, operands, pitch)).name.startswith("te_expand_")


@pytest.mark.parametrize("operands", Operands)
@pytest.mark.parametrize("taps", [2, 3])
@pytest.mark.parametrize("tap", [4, 12, 16, 36, 400])
def test_shared_inputs_can_be_generated(tap: int, taps: int, operands: Operands) -> None:
    window = Window(3, taps * tap, taps)
    names = {routine(Expansion(window, operands, pitch)).name for pitch in (0, tap)}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("window", "pitch", "instructions"),
    [
        (Window(3, 9), 6, 116),  # 7 groups of 13, 20 for bytes left over, 5 for addresses
        (Window(3, 192), 64, 1960),
        (Window(10, 4), 2, 143),
        (Window(3, 48, taps=3), 16, 292),  # 12 words of six pixels, 22 each
        (Window(3, 192, taps=3), 64, 1162),
        (Window(3, 9), 0, 131),
        (Window(3, 192), 0, 2015),
        (Window(3, 48, taps=3), 0, 539),
        (Window(10, 4), 0, 166),
    ],
)
def test_instructions_of_known_windows(window: Window, pitch: int, instructions: int) -> None:
    assert executed(routine(Expansion(window, Operands.X256, pitch)).function.lines) == instructions
