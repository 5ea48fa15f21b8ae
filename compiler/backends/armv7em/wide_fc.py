"""Generator of FULLY_CONNECTED on int16 inputs and int8 weights, and of CONV_2D on a single pixel.

Register block: R outputs of one row, R = 1 ... 8; here 6. Inputs are operands as they lie in memory.

    r0 inputs   r1 weight stream   r2 r3 four inputs   r4 ... r9 accumulators   r10 r11 r12 weights   lr spare

A word has four weights of one output, bytes w0 w2 w1 w3. Per 4 inputs and R outputs: 1 LDRD of inputs, LDM of
as many weights as there are registers, 2 R SXTB16, 2 R SMLAD.

    R               1     2     3     4     5     6     7     8
    per product  1.50  1.25  1.17  1.125 1.15  1.125 1.18  1.25

Where a row may begin at an odd input, two LDR take the place of the LDRD.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...graph import Array
from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from ..native.lowering import CALL
from ..native.packing import differences
from ..program import ConstantArray
from . import isa
from .cycles import executed
from .dense import chunks, stream_of
from .dense_block import (
    ACCUMULATORS,
    INPUTS,
    LARGEST_STRAIGHT,
    SPARE,
    TURN,
    OutputBlock,
    Split,
    best_split,
    finish,
    is_dense,
    next_words,
    rows_of,
)
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .lowering import Assembled, Lowering
from .matrix_stream import halves
from .wide_weights import WideLayer, wide_layer

KERNEL = "te_wide_fc"
GROUP = 4  # inputs
GROUP_BYTES = 8
OUT_SLOT, STREAM_END_SLOT, INPUTS_SLOT, INPUTS_END_SLOT = 0, 4, 8, 12
STACK = 16
PER_CALL = 8  # of a routine: arguments, branch, the loop over rows
PARAMETERS = ("const int8_t *x", "const uint32_t *stream", "int8_t *y", "const uint32_t *stream_end")


@dataclass(frozen=True)
class Block(OutputBlock):
    depth: int
    aligned: bool  # are rows of inputs aligned to words?

    @property
    def stem(self) -> str:
        access = "" if self.aligned else "_any"
        return f"te_wide_fc_k{self.depth}_r{self.outputs}{access}_{self.requant.stem}"

    @property
    def weights(self) -> Sequence[str]:
        """Registers that hold weights, one word of each output."""
        return (*ACCUMULATORS[self.outputs :], "r12")[: self.outputs]

    @property
    def groups(self) -> int:
        """Whole ones."""
        return self.depth // GROUP

    @property
    def turns(self) -> int:
        return 0 if self.groups <= LARGEST_STRAIGHT else self.groups // TURN

    @property
    def words(self) -> int:
        return self.outputs * (1 + -(-self.depth // GROUP) + self.requant.words)

    @property
    def instructions(self) -> int:
        return executed(block_kernel(self).lines) + PER_CALL

    @property
    def routine(self) -> Routine:
        numbers = (self.depth, self.outputs, *self.requant.twin_numbers)
        return Routine(block_kernel(self), PARAMETERS, "te_wide_fc_twin", numbers, "te_wide_fc.h")


@lru_cache(maxsize=256)
def block_kernel(block: Block) -> Function:
    again = Label(1, block.passes)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), *_settle(block), again, next_words(block.accumulators)]
    lines += [
        *_dot_products(block),
        isa.ldr("r0", "sp", OUT_SLOT),
        *finish(block),
        isa.str_("r0", "sp", OUT_SLOT),
    ]
    lines += [isa.ldr("r0", "sp", INPUTS_SLOT), isa.ldr("r12", "sp", STREAM_END_SLOT), isa.cmp("r1", "r12")]
    lines += [isa.bne_back(again), isa.shrink_stack(STACK), isa.pop_return(CALLEE_SAVED)]
    purpose = f"Fully connected, {block.depth} inputs of 16 bits, {block.outputs} outputs at a time"
    return specified(block.stem, purpose, lines, arguments=4, generator=__doc__)


def _settle(block: Block) -> Iterator[Instr]:
    yield from (isa.grow_stack(STACK), isa.strd("r2", "r3", "sp", OUT_SLOT), isa.str_("r0", "sp", INPUTS_SLOT))
    if block.turns:
        yield from isa.constant("r12", block.turns * TURN * GROUP_BYTES)
        yield from (isa.add_register("r12", "r12", "r0"), isa.str_("r12", "sp", INPUTS_END_SLOT))


def _dot_products(block: Block) -> Iterator[Line]:
    straight = block.groups - block.turns * TURN
    if block.turns:
        turn = Label(2, block.turns)
        yield turn
        for _ in range(TURN):
            yield from _group(block, GROUP)
        yield from (isa.ldr("r12", "sp", INPUTS_END_SLOT), isa.cmp("r0", "r12"), isa.bne_back(turn))
    for _ in range(straight):
        yield from _group(block, GROUP)
    if block.depth % GROUP:
        yield from _group(block, block.depth % GROUP)


def _group(block: Block, inputs: int) -> Iterator[Instr]:
    """Up to four inputs; nothing is read behind them."""
    yield from _inputs(block, inputs)
    for accumulators in chunks(block.accumulators, len(block.weights)):
        weights = block.weights[: len(accumulators)]
        yield next_words(weights)
        for acc, weight in zip(accumulators, weights, strict=True):
            yield isa.sxtb16(SPARE, weight)
            if inputs > 2:
                yield isa.sxtb16(weight, weight, 8)
            yield isa.smlad(acc, SPARE, INPUTS[0], acc)
        if inputs > 2:
            for acc, weight in zip(accumulators, weights, strict=True):
                yield isa.smlad(acc, weight, INPUTS[1], acc)


def _inputs(block: Block, inputs: int) -> Iterator[Instr]:
    first, second = INPUTS
    if inputs == GROUP and block.aligned:
        yield isa.ldrd_next(first, second, "r0")
        return
    yield isa.ldr_next(first, "r0") if inputs > 1 else isa.ldrh(first, "r0")
    if inputs > 2:
        yield isa.ldr_next(second, "r0") if inputs == GROUP else isa.ldrh(second, "r0")


# --- which operators --------------------------------------------------------------------------------------------


def stream(layer: WideLayer, sizes: Sequence[int]) -> Array:
    weights = layer.channels.weights
    groups = np.pad(weights, ((0, 0), (0, -weights.shape[1] % GROUP))).reshape(len(weights), -1, 2, 2) & 0xFF
    words = halves(groups[:, :, 0] | groups[:, :, 1] << 8)
    return stream_of(sizes, layer.channels.bias, words, layer.finish)


@lru_cache(maxsize=256)
def _layer(op: FullyConnected | Conv2D) -> WideLayer | None:
    if not is_dense(op):
        return None
    layer = wide_layer(op, differences(op).reshape(op.channels, op.depth))
    return layer if layer and layer.fits_bytes else None


def _split(op: FullyConnected | Conv2D, layer: WideLayer) -> Split[Block]:
    aligned = rows_of(op) == 1 or op.depth % 2 == 0
    return best_split(Block(1, layer.requant, op.depth, aligned), op.channels)


def candidates(op: FullyConnected | Conv2D) -> tuple[Candidate, ...]:
    layer = _layer(op)
    if layer is None:
        return ()
    split = _split(op, layer)
    return (
        Candidate(
            backend="armv7em",
            kernel=KERNEL,
            form=Form.WHOLE if isinstance(op, FullyConnected) else Form.STRIP,
            alignment=4 if split.used[0].aligned else 1,
            splits_rows=False,
            weight_bytes=split.weight_bytes,
            code_bytes=split.code_bytes,
            instructions=rows_of(op) * split.instructions,
            call_instructions=CALL,
        ),
    )


def lower(op: FullyConnected | Conv2D, _chosen: Candidate, function: str) -> Assembled:
    layer = _layer(op)
    assert layer is not None
    split = _split(op, layer)
    words = stream(layer, split.sizes)
    table = ConstantArray(f"{function}_stream", "uint32_t", words, "biases, weights i8, factors", 8)
    return Assembled(split.params(op, table), (table,), split.routines)


LOWERING = Lowering.at_any_price(KERNEL, candidates, lower)
