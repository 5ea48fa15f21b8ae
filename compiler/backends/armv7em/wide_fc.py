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
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ...graph import Array
from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from ..native.lowering import CALL, Params
from ..native.packing import differences
from ..program import ConstantArray
from . import isa
from .cycles import executed
from .dense import chunks
from .fully_connected import ACCUMULATORS, LARGEST_STRAIGHT, TURN, is_single_pixel
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .lowering import Assembled, Lowering
from .wide_requant import WideRequant
from .wide_weights import WideLayer, halves, wide_layer, words_of

KERNEL = "te_wide_fc"
GROUP = 4  # inputs
GROUP_BYTES = 8
INPUTS = ("r2", "r3")
SPARE = "lr"
OUT_SLOT, STREAM_END_SLOT, INPUTS_SLOT, INPUTS_END_SLOT = 0, 4, 8, 12
STACK = 16
PER_CALL = 8  # of a routine: arguments, branch, the loop over rows
PARAMETERS = ("const int8_t *x", "const uint32_t *stream", "int8_t *y", "const uint32_t *stream_end")


@dataclass(frozen=True)
class Block:
    """What a kernel is generated for: any number of blocks of so many outputs."""

    depth: int
    outputs: int  # at a time
    requant: WideRequant
    aligned: bool  # are rows of inputs aligned to words?
    passes: int = 1  # the code does not depend on it

    @property
    def stem(self) -> str:
        access = "" if self.aligned else "_any"
        return f"te_wide_fc_k{self.depth}_r{self.outputs}{access}_{self.requant.stem}"

    @property
    def accumulators(self) -> Sequence[str]:
        return ACCUMULATORS[: self.outputs]

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
    def parameters(self) -> Sequence[str]:
        """Registers for the requantisation of some outputs at once."""
        return (*INPUTS, *ACCUMULATORS[self.outputs :], "r12")

    @property
    def words(self) -> int:
        """Of one pass in the stream."""
        return self.outputs * (1 + -(-self.depth // GROUP) + self.requant.words)


@lru_cache(maxsize=256)
def block_kernel(block: Block) -> Function:
    again = Label(1, block.passes)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), *_settle(block), again, _words(block.accumulators)]
    lines += [*_dot_products(block), isa.ldr("r0", "sp", OUT_SLOT), *_finish(block), isa.str_("r0", "sp", OUT_SLOT)]
    lines += [isa.ldr("r0", "sp", INPUTS_SLOT), isa.ldr("r12", "sp", STREAM_END_SLOT), isa.cmp("r1", "r12")]
    lines += [isa.bne_back(again), isa.shrink_stack(STACK), isa.pop_return(CALLEE_SAVED)]
    purpose = f"Fully connected, {block.depth} inputs of 16 bits, {block.outputs} outputs at a time"
    return specified(block.stem, purpose, lines, arguments=4)


def block_routine(block: Block) -> Routine:
    numbers = (block.depth, block.outputs, *block.requant.twin_numbers)
    return Routine(block_kernel(block), PARAMETERS, "te_wide_fc_twin", numbers, "te_wide_fc.h")


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
        yield _words(weights)
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


def _words(registers: Sequence[str]) -> Instr:
    """The next of the stream."""
    return isa.ldm_next("r1", registers) if len(registers) > 1 else isa.ldr_next(registers[0], "r1")


def _finish(block: Block) -> Iterator[Instr]:
    words = block.requant.words
    for accumulators in chunks(block.accumulators, len(block.parameters) // words):
        registers = block.parameters[: words * len(accumulators)]
        yield isa.ldm_next("r1", registers)
        for acc, (mantissa, addend, *shift) in zip(accumulators, chunks(registers, words), strict=True):
            yield from block.requant.instructions([acc], mantissa, addend, shift[0] if shift else "", SPARE)
            yield isa.strh_next(acc, "r0")


# --- which blocks -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Split:
    """All outputs as blocks of one size, then blocks one smaller."""

    block: Block
    smaller: int  # blocks

    @property
    def used(self) -> tuple[Block, ...]:
        if not self.smaller:
            return (self.block,)
        return self.block, replace(self.block, outputs=self.block.outputs - 1, passes=self.smaller)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(block.outputs for block in self.used for _ in range(block.passes))

    @property
    def instructions(self) -> int:
        return sum(executed(block_kernel(block).lines) + PER_CALL for block in self.used)


def best_split(block: Block, outputs: int) -> Split:
    """Into blocks that are as equal as can be."""
    splits = []
    for largest in range(1, len(ACCUMULATORS) + 1):
        count = -(-outputs // largest)
        size = -(-outputs // count)
        smaller = size * count - outputs
        splits.append(Split(replace(block, outputs=size, passes=count - smaller), smaller))
    return min(splits, key=lambda split: split.instructions)


def stream(layer: WideLayer, sizes: Sequence[int]) -> Array:
    """For each block of outputs: biases, for each group of inputs a word of each, what requantises them."""
    weights, ends = layer.channels.weights, np.cumsum(sizes)
    groups = np.pad(weights, ((0, 0), (0, -weights.shape[1] % GROUP))).reshape(len(weights), -1, 2, 2) & 0xFF
    words = halves(groups[:, :, 0] | groups[:, :, 1] << 8)
    parts: list[Array] = []
    for size, end in zip(sizes, ends, strict=True):
        some = slice(end - size, end)
        parts += [layer.channels.bias[some], words[some].T.reshape(-1), layer.finish[some].reshape(-1)]
    return words_of(np.concatenate(parts))


@lru_cache(maxsize=256)
def _layer(op: FullyConnected | Conv2D) -> WideLayer | None:
    suits = isinstance(op, FullyConnected) or is_single_pixel(op)
    if not suits or not op.weights.is_constant:
        return None
    layer = wide_layer(op, differences(op).reshape(op.channels, op.depth))
    return layer if layer and layer.fits_bytes else None


def _rows(op: FullyConnected | Conv2D) -> int:
    return op.batches if isinstance(op, FullyConnected) else 1


def _split(op: FullyConnected | Conv2D, layer: WideLayer) -> Split:
    aligned = _rows(op) == 1 or op.depth % 2 == 0
    return best_split(Block(op.depth, 1, layer.requant, aligned), op.channels)


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
            alignment=4 if split.block.aligned else 1,
            splits_rows=False,
            weight_bytes=4 * sum(block.passes * block.words for block in split.used),
            code_bytes=sum(block_kernel(block).code_bytes for block in split.used),
            instructions=_rows(op) * split.instructions,
            call_instructions=CALL,
        ),
    )


def lower(op: FullyConnected | Conv2D, _chosen: Candidate, function: str) -> Assembled:
    layer = _layer(op)
    assert layer is not None
    split = _split(op, layer)
    words = stream(layer, split.sizes)
    table = ConstantArray(f"{function}_stream", "uint32_t", words, "biases, weights i8, factors", 8)
    routines = tuple(map(block_routine, split.used))
    first = split.block.passes * split.block.outputs
    params: Params = {
        "rows": _rows(op),
        "inputs": op.depth,
        "outputs": op.channels,
        "first_outputs": first,
        "stream": table.name,
        "rest_stream": f"{table.name} + {split.block.passes * split.block.words}",
        "stream_end": f"{table.name} + {words.size}",
        "first": routines[0].name,
        "rest": routines[-1].name,
    }
    return Assembled(params, (table,), routines)


LOWERING = Lowering.at_any_price(KERNEL, candidates, lower)
