"""Generator of FULLY_CONNECTED, and of CONV_2D on a single pixel, for Armv7E-M and Armv8-M with DSP.

Register block: R outputs of one row, R = 1 ... 8; here 5.

    r0 operands   r1 weight stream   r2 r3 activations   r4 ... r8 accumulators   r9 ... r12 lr weights

Weights are read once, so that what a group of four inputs takes is, for R outputs,

    x256   1 LDRD, LDM of as many weights as there are registers, R SXTB16, 2 R SMLAD
    i8     the same with 2 R SXTB16, and one register less for weights

    R                    1     2     3     4     5     6     7     8
    x256, per product  1.25  1.00  .917  .875  .850  .875  .893  .906
    i8, per product    1.50  1.25  1.17  1.125 1.15  1.125 1.18  1.25

(see dense.py for both packings). Larger blocks have fewer ends: loops, stores, pointers.
Outputs are split into blocks of two sizes that differ by one; which sizes, the budget decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...graph import DType
from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from ..native.lowering import CALL
from ..program import ConstantArray
from . import isa
from .dense import GROUP, Dense, Packing, chunks, dense, expand_routine, expansion_instructions, stream
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
from .matrix_block import PARAMETERS

OUT, STREAM_END, OPERANDS_AT, OPERANDS_END = 0, 4, 8, 12  # on the stack
PER_BLOCK = 7  # bias, pointers, the branch
PER_CALL = 14  # of a routine, beside its blocks
PER_ROW = 5  # of the driver


@dataclass(frozen=True)
class Block(OutputBlock):
    packing: Packing
    groups: int  # of four inputs

    @property
    def stem(self) -> str:
        uniform = "_uniform" if self.uniform else ""
        return f"te_fc_{self.packing.value}_g{self.groups}_r{self.outputs}{uniform}_{self.requant.stem}"

    @property
    def weights(self) -> Sequence[str]:
        """Registers that hold weights, one word of each output."""
        free = (*ACCUMULATORS[self.outputs :], "r12", "lr")
        return free[: min(self.outputs, len(free) - (self.packing is Packing.I8))]

    @property
    def loads(self) -> int:
        return -(-self.outputs // len(self.weights))

    @property
    def straight(self) -> int:
        """Groups before the loop."""
        return self.groups if self.groups <= LARGEST_STRAIGHT else self.groups % TURN

    @property
    def turns(self) -> int:
        return (self.groups - self.straight) // TURN

    @property
    def instructions(self) -> int:
        group = 1 + self.loads + self.outputs * (3 if self.packing is Packing.X256 else 4)
        finish = self.requant.per_output + 1
        parameters = -(-self.outputs // self.at_once)
        block = PER_BLOCK + self.groups * group + 3 * self.turns + self.outputs * finish + parameters
        return PER_CALL + self.passes * block

    @property
    def routine(self) -> Routine:
        is_x256 = int(self.packing is Packing.X256)
        numbers = (self.groups, self.outputs, is_x256, int(self.uniform), *self.requant.twin_numbers)
        return Routine(block_kernel(self), PARAMETERS, "te_fc_block_twin", numbers, "te_fc_blocks.h")

    @property
    def words(self) -> int:
        return self.outputs * (1 + self.groups) + self.requant.words * (1 if self.uniform else self.outputs)


def block_kernel(block: Block) -> Function:
    again = Label(1)
    lines: list[Line] = [
        isa.push([*CALLEE_SAVED, "lr"]),
        isa.grow_stack(16),
        isa.strd("r2", "r3", "sp", OUT),
        *isa.constant("r12", block.groups * 2 * GROUP),
        isa.add_register("r12", "r12", "r0"),
        isa.strd("r0", "r12", "sp", OPERANDS_AT),
        again,
        next_words(block.accumulators),
        *_dot_products(block),
        isa.ldr("r0", "sp", OUT),
        *finish(block),
        isa.str_("r0", "sp", OUT),
        isa.ldr("r0", "sp", OPERANDS_AT),
        isa.ldr("r12", "sp", STREAM_END),
        isa.cmp("r1", "r12"),
        isa.bne_back(again),
        isa.shrink_stack(16),
        isa.pop_return(CALLEE_SAVED),
    ]
    purpose = f"fully connected, {block.groups * GROUP} inputs, {block.outputs} outputs at a time"
    return specified(block.stem, purpose, lines, arguments=4, generator=__doc__)


def _dot_products(block: Block) -> Iterator[Line]:
    for _ in range(block.straight):
        yield from _group(block)
    if block.turns:
        turn = Label(2)
        yield turn
        for _ in range(TURN):
            yield from _group(block)
        yield from (isa.ldr("r12", "sp", OPERANDS_END), isa.cmp("r0", "r12"), isa.bne_back(turn))


def _group(block: Block) -> Iterator[Instr]:
    """Four inputs."""
    yield isa.ldrd_next(*INPUTS, "r0")
    for accumulators in chunks(block.accumulators, len(block.weights)):
        weights = block.weights[: len(accumulators)]
        yield next_words(weights)
        yield from _products(block.packing, accumulators, weights)


def _products(packing: Packing, accumulators: Sequence[str], weights: Sequence[str]) -> Iterator[Instr]:
    for acc, weight in zip(accumulators, weights, strict=True):
        if packing is Packing.X256:
            yield isa.smlad(acc, weight, INPUTS[0], acc)
            yield isa.sxtb16(weight, weight)
        else:
            yield isa.sxtb16(SPARE, weight)
            yield isa.sxtb16(weight, weight, 8)
            yield isa.smlad(acc, SPARE, INPUTS[0], acc)
    for acc, weight in zip(accumulators, weights, strict=True):
        yield isa.smlad(acc, weight, INPUTS[1], acc)


def _dense(op: FullyConnected | Conv2D) -> Dense | None:
    return dense(op) if op.x.dtype is DType.INT8 and is_dense(op) else None


def _split(layer: Dense) -> Split[Block]:
    block = Block(1, layer.scaling.requant, layer.packing, layer.groups, uniform=layer.uniform)
    return best_split(block, len(layer.channels.bias))


def candidates(op: FullyConnected | Conv2D) -> tuple[Candidate, ...]:
    layer = _dense(op)
    if layer is None:
        return ()
    split = _split(layer)
    row = PER_ROW + expansion_instructions(layer.packing, op.depth) + split.instructions
    expand = expand_routine(layer.packing, op.depth).function
    return (
        Candidate(
            backend="armv7em",
            kernel="te_fc_blocks",
            form=Form.WHOLE if isinstance(op, FullyConnected) else Form.STRIP,
            scratch_bytes=layer.groups * 2 * GROUP,
            splits_rows=False,
            weight_bytes=split.weight_bytes,
            code_bytes=split.code_bytes + expand.code_bytes,
            instructions=rows_of(op) * row,
            call_instructions=CALL,
        ),
    )


def lower(op: FullyConnected | Conv2D, _chosen: Candidate, function: str) -> Assembled:
    layer = _dense(op)
    assert layer is not None
    split = _split(layer)
    words = stream(layer, split.sizes)
    table = ConstantArray(f"{function}_stream", "uint32_t", words, f"biases, weights {layer.packing.value}, factors", 8)
    expand = expand_routine(layer.packing, op.depth)
    return Assembled({**split.params(op, table), "expand": expand.name}, (table,), (expand, *split.routines))


LOWERING = Lowering.at_any_price("te_fc_blocks", candidates, lower)
