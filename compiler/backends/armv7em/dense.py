"""Matrix times one row of inputs: two packings of weights and activations, and the proof that they may be used.

Four activations x and four weights w are two words each (activations once, by `expand`):

    x256   A = x[0] - 127, x[2] - 127       B = 256 * x[1] + 127 - x[0], 256 * x[3] + 127 - x[2]
           W = 256 * w[0] + w[1], 256 * w[2] + w[3]
           smlad(W, A) + smlad(sxtb16(W), B) = 256 * (w . x) - 256 * 127 * (w[0] + w[2])
    i8     A = x[0], x[2]    B = x[1], x[3]    W = w[0], w[1], w[2], w[3]
           smlad(sxtb16(W), A) + smlad(sxtb16(W ror 8), B) = w . x

x256 needs accumulators of 23 bits and halves W of 16; i8 takes all weights, but shifts each accumulator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import numpy as np

from ...graph import Array
from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ..native.packing import Channels, differences, settled_channels
from . import isa
from .function import Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .matrix_stream import fit, words_of
from .requant import Scaling, positive, scaling

GROUP = 4  # inputs in a word of weights
X256_BITS = 8  # by which accumulators are larger
MINUS_127, PLUS_127 = 0xFF81FF81, 0x007F007F  # in both halves
RAW, LOW = ("r3", "r5", "r7", "r9"), ("r2", "r4", "r6", "r8")
LARGEST_STRAIGHT = 8  # groups without a loop

T = TypeVar("T")


class Packing(Enum):
    X256 = "x256"
    I8 = "i8"


@dataclass(frozen=True)
class Dense:
    """A layer as a kernel computes it."""

    packing: Packing
    channels: Channels
    scaling: Scaling

    @property
    def depth(self) -> int:
        return int(self.channels.weights.shape[1])

    @property
    def groups(self) -> int:
        return -(-self.depth // GROUP)

    @property
    def uniform(self) -> bool:
        """Are all outputs requantised alike? Then a block has the words for that once."""
        return bool((self.scaling.words == self.scaling.words[0]).all())


def dense(op: FullyConnected | Conv2D) -> Dense | None:
    """The shorter packing that is proved, if one is."""
    weights = differences(op).reshape(op.channels, op.depth)
    channels = positive(settled_channels(op, weights))
    if not fit(channels.weights, 8):
        return None
    wide = scaling(op, channels, X256_BITS) if _halves_fit(channels.weights) else None
    if wide is not None:
        return Dense(Packing.X256, channels, wide)
    plain = scaling(op, channels, 0)
    return Dense(Packing.I8, channels, plain) if plain else None


def _halves_fit(weights: Array) -> bool:
    """Do -128 and a negative neighbour never meet in one half?"""
    padded = _padded(weights)
    return fit(256 * padded[:, 0::2] + padded[:, 1::2], 16)


def _padded(weights: Array) -> Array:
    """Zeros behind the last weight: what stands there instead of an activation doesn't matter."""
    return np.pad(weights, ((0, 0), (0, -weights.shape[1] % GROUP)))


def stream(layer: Dense, sizes: Sequence[int]) -> Array:
    return stream_of(sizes, _biases(layer), _words(layer), layer.scaling.words, layer.uniform)


def stream_of(sizes: Sequence[int], biases: Array, words: Array, finish: Array, uniform: bool = False) -> Array:
    """For each block of outputs: biases, for each group of inputs a word of each, what requantises them."""
    parts: list[Array] = []
    for size, end in zip(sizes, np.cumsum(sizes), strict=True):
        block = slice(end - size, end)
        parts += [biases[block], words[block].T.reshape(-1), finish[block][: 1 if uniform else size].reshape(-1)]
    return words_of(np.concatenate(parts))


def _words(layer: Dense) -> Array:
    weights = _padded(layer.channels.weights)
    if layer.packing is Packing.I8:
        return weights.astype(np.int8).view("<u4")
    halves = (256 * weights[:, 0::2] + weights[:, 1::2]).astype(np.int16)
    return halves.view("<u4")


def _biases(layer: Dense) -> Array:
    if layer.packing is Packing.I8:
        return layer.channels.bias
    return np.asarray(256 * (layer.channels.bias + 127 * layer.channels.weights[:, 0::2].sum(axis=1)))


# --- activations ---------------------------------------------------------------------------------------------


def expand_routine(packing: Packing, inputs: int) -> Routine:
    """void expand(const int8_t *x, int32_t *operands): inputs from any address."""
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"])]
    if packing is Packing.X256:
        lines += isa.constant("r12", MINUS_127)
    turns, straight = _turns(inputs // GROUP)
    if turns:
        turn = Label(1)
        lines += [*isa.constant("lr", turns * GROUP * len(RAW)), isa.add_register("lr", "lr", "r0"), turn]
        lines += [*_expanded(packing, len(RAW)), isa.cmp("r0", "lr"), isa.bne_back(turn)]
    for part in chunks(range(straight), len(RAW)):
        lines += _expanded(packing, len(part))
    if inputs % GROUP:
        lines += [*_last_bytes(inputs % GROUP), *_halves(packing, 1)]
    lines.append(isa.pop_return(CALLEE_SAVED))
    stem, purpose = f"te_fc_expand_{packing.value}_k{inputs}", f"16-bit operands of {inputs} inputs"
    function = specified(stem, purpose, lines, arguments=2, generator=__doc__)
    numbers = (inputs, int(packing is Packing.X256))
    return Routine(function, ("const int8_t *x", "int32_t *operands"), "te_fc_expand_twin", numbers, "te_fc_blocks.h")


def expansion_instructions(packing: Packing, inputs: int) -> int:
    """Executed by that."""
    turns, straight = _turns(inputs // GROUP)
    stores = len(chunks(range(straight), len(RAW)))
    last = (0, 4, 4, 6)[inputs % GROUP]
    return 4 + 2 * (packing is Packing.X256) + turns * (3 * len(RAW) + 3) + 3 * straight + stores + last


def _turns(groups: int) -> tuple[int, int]:
    """Of a loop, and groups behind it."""
    return (0, groups) if groups <= LARGEST_STRAIGHT else divmod(groups, len(RAW))


def _expanded(packing: Packing, groups: int) -> Iterator[Instr]:
    yield from (isa.ldr_next(raw, "r0") for raw in RAW[:groups])
    yield from _halves(packing, groups)


def _halves(packing: Packing, groups: int) -> Iterator[Instr]:
    """Both operands of the words in RAW, stored."""
    pairs = list(zip(LOW, RAW, strict=True))[:groups]
    for low, raw in pairs:
        if packing is Packing.X256:
            yield from (isa.sxtab16(low, "r12", raw), isa.eor_pattern(raw, raw, PLUS_127))
        else:
            yield from (isa.sxtb16(low, raw), isa.sxtb16(raw, raw, 8))
    yield isa.stm_next("r1", [register for pair in pairs for register in pair])


def _last_bytes(count: int) -> Iterator[Instr]:
    """Into the first of RAW; nothing is read behind them."""
    if count == 1:
        yield isa.ldrb(RAW[0], "r0")
        return
    yield isa.ldrh(RAW[0], "r0")
    if count == 3:
        yield isa.ldrb(LOW[0], "r0", 2)
        yield isa.orr_shifted(RAW[0], RAW[0], LOW[0], "lsl", 16)


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """In order, each of `size` but the last."""
    return [items[i : i + size] for i in range(0, len(items), size)]
