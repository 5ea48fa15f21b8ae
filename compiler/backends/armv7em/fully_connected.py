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
from dataclasses import dataclass, replace

from ...graph import DType, Padding
from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from ..native.lowering import CALL, Params
from ..program import ConstantArray
from . import isa
from .dense import GROUP, Dense, Packing, chunks, dense, expand_routine, expansion_instructions, stream
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .lowering import Assembled, Lowering
from .requant import Requant

OPERANDS = ("r2", "r3")
ACCUMULATORS = ("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
SPARE = "lr"
TURN = 8  # groups of a loop's body
LARGEST_STRAIGHT = 12  # groups without a loop
OUT, STREAM_END, OPERANDS_AT, OPERANDS_END = 0, 4, 8, 12  # on the stack
PER_BLOCK = 7  # bias, pointers, the branch
PER_CALL = 14  # of a routine, beside its blocks
PER_ROW = 5  # of the driver


@dataclass(frozen=True)
class Block:
    """What a kernel is generated for: any number of blocks of so many outputs."""

    packing: Packing
    groups: int  # of four inputs
    outputs: int  # at a time
    requant: Requant
    uniform: bool  # are all outputs requantised alike?

    @property
    def stem(self) -> str:
        uniform = "_uniform" if self.uniform else ""
        return f"te_fc_{self.packing.value}_g{self.groups}_r{self.outputs}{uniform}_{self.requant.stem}"

    @property
    def accumulators(self) -> Sequence[str]:
        return ACCUMULATORS[: self.outputs]

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
        """Executed for one block."""
        group = 1 + self.loads + self.outputs * (3 if self.packing is Packing.X256 else 4)
        finish = self.requant.per_output + 1
        parameters = -(-self.outputs // self.at_once)
        return PER_BLOCK + self.groups * group + 3 * self.turns + self.outputs * finish + parameters

    @property
    def parameters(self) -> Sequence[str]:
        """Registers for the requantisation of some outputs at once."""
        return (*OPERANDS, *ACCUMULATORS[self.outputs :], "r12")

    @property
    def at_once(self) -> int:
        return self.outputs if self.uniform else len(self.parameters) // self.requant.words

    @property
    def words(self) -> int:
        """In the stream."""
        return self.outputs * (1 + self.groups) + self.requant.words * (1 if self.uniform else self.outputs)


def block_kernel(block: Block) -> Function:
    """void block(const uint32_t *operands, const uint32_t *stream, int8_t *y, const uint32_t *stream_end)"""
    again = Label(1)
    lines: list[Line] = [
        isa.push([*CALLEE_SAVED, "lr"]),
        isa.grow_stack(16),
        isa.strd("r2", "r3", "sp", OUT),
        *isa.constant("r12", block.groups * 2 * GROUP),
        isa.add_register("r12", "r12", "r0"),
        isa.strd("r0", "r12", "sp", OPERANDS_AT),
        again,
        _words(block.accumulators),
        *_dot_products(block),
        isa.ldr("r0", "sp", OUT),
        *_finish(block),
        isa.str_("r0", "sp", OUT),
        isa.ldr("r0", "sp", OPERANDS_AT),
        isa.ldr("r12", "sp", STREAM_END),
        isa.cmp("r1", "r12"),
        isa.bne_back(again),
        isa.shrink_stack(16),
        isa.pop_return(CALLEE_SAVED),
    ]
    purpose = f"fully connected, {block.groups * GROUP} inputs, {block.outputs} outputs at a time"
    return specified(block.stem, purpose, lines, arguments=4)


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
    yield isa.ldrd_next(*OPERANDS, "r0")
    for accumulators in chunks(block.accumulators, len(block.weights)):
        weights = block.weights[: len(accumulators)]
        yield _words(weights)
        yield from _products(block.packing, accumulators, weights)


def _words(registers: Sequence[str]) -> Instr:
    """The next of the stream."""
    return isa.ldm_next("r1", registers) if len(registers) > 1 else isa.ldr_next(registers[0], "r1")


def _products(packing: Packing, accumulators: Sequence[str], weights: Sequence[str]) -> Iterator[Instr]:
    for acc, weight in zip(accumulators, weights, strict=True):
        if packing is Packing.X256:
            yield isa.smlad(acc, weight, OPERANDS[0], acc)
            yield isa.sxtb16(weight, weight)
        else:
            yield isa.sxtb16(SPARE, weight)
            yield isa.sxtb16(weight, weight, 8)
            yield isa.smlad(acc, SPARE, OPERANDS[0], acc)
    for acc, weight in zip(accumulators, weights, strict=True):
        yield isa.smlad(acc, weight, OPERANDS[1], acc)


def _finish(block: Block) -> Iterator[Instr]:
    words = block.requant.words
    for accumulators in chunks(block.accumulators, block.at_once):
        registers = block.parameters[: words * (1 if block.uniform else len(accumulators))]
        yield isa.ldm_next("r1", registers)
        factors = chunks(registers, words) * (len(accumulators) if block.uniform else 1)
        for acc, (mantissa, addend, *shift) in zip(accumulators, factors, strict=True):
            yield from block.requant.instructions([acc], mantissa, addend, shift[0] if shift else "", SPARE)
            yield isa.strb_next(acc, "r0")


def block_routine(block: Block) -> Routine:
    parameters = (
        "const uint32_t *operands",
        "const uint32_t *stream",
        "int8_t *y",
        "const uint32_t *stream_end",
    )
    is_x256 = int(block.packing is Packing.X256)
    numbers = (block.groups, block.outputs, is_x256, int(block.uniform), *block.requant.twin_numbers)
    return Routine(block_kernel(block), parameters, "te_fc_block_twin", numbers, "te_fc_blocks.h")


@dataclass(frozen=True)
class Split:
    """All outputs as blocks of one size, then blocks one smaller."""

    block: Block
    blocks: int
    smaller: int  # blocks

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.block.outputs,) * self.blocks + (self.block.outputs - 1,) * self.smaller

    @property
    def rest(self) -> Block:
        return replace(self.block, outputs=self.block.outputs - 1)

    @property
    def words(self) -> int:
        """In the stream, up to the smaller blocks."""
        return self.blocks * self.block.words

    @property
    def used(self) -> tuple[Block, ...]:
        return (self.block, self.rest) if self.smaller else (self.block,)

    @property
    def instructions(self) -> int:
        smaller = self.smaller and self.smaller * self.rest.instructions + PER_CALL
        return self.blocks * self.block.instructions + PER_CALL + smaller


def best_split(block: Block, outputs: int) -> Split:
    """Into blocks that are as equal as can be."""
    splits = []
    for largest in range(1, len(ACCUMULATORS) + 1):
        count = -(-outputs // largest)
        size = -(-outputs // count)
        smaller = size * count - outputs
        splits.append(Split(replace(block, outputs=size), count - smaller, smaller))
    return min(splits, key=lambda split: split.instructions)


def is_single_pixel(op: Conv2D) -> bool:
    pointwise = op.kernel == (1, 1) and op.padding == Padding() and op.groups == 1
    return pointwise and op.x.image[:2] == op.y.image[:2] == (1, 1)


def _dense(op: FullyConnected | Conv2D) -> Dense | None:
    if op.x.dtype is not DType.INT8 or not op.weights.is_constant:
        return None
    return dense(op) if isinstance(op, FullyConnected) or is_single_pixel(op) else None


def _split(layer: Dense) -> Split:
    block = Block(layer.packing, layer.groups, 1, layer.scaling.requant, layer.uniform)
    return best_split(block, len(layer.channels.bias))


def _rows(op: FullyConnected | Conv2D) -> int:
    return op.batches if isinstance(op, FullyConnected) else 1


def candidates(op: FullyConnected | Conv2D) -> tuple[Candidate, ...]:
    layer = _dense(op)
    if layer is None:
        return ()
    split = _split(layer)
    row = PER_ROW + expansion_instructions(layer.packing, op.depth) + split.instructions
    code = sum(block_kernel(block).code_bytes for block in split.used)
    return (
        Candidate(
            backend="armv7em",
            kernel="te_fc_blocks",
            form=Form.WHOLE if isinstance(op, FullyConnected) else Form.STRIP,
            scratch_bytes=layer.groups * 2 * GROUP,
            splits_rows=False,
            weight_bytes=4 * (split.words + split.smaller * split.rest.words),
            code_bytes=code + expand_routine(layer.packing, op.depth).function.code_bytes,
            instructions=_rows(op) * row,
            call_instructions=CALL,
        ),
    )


def lower(op: FullyConnected | Conv2D, _chosen: Candidate, function: str) -> Assembled:
    layer = _dense(op)
    assert layer is not None
    split = _split(layer)
    words = stream(layer, split.sizes)
    table = ConstantArray(f"{function}_stream", "uint32_t", words, f"biases, weights {layer.packing.value}, factors", 8)
    expand, block = expand_routine(layer.packing, op.depth), block_routine(split.block)
    rest = block_routine(split.rest) if split.smaller else block
    params: Params = {
        "rows": _rows(op),
        "inputs": op.depth,
        "outputs": op.channels,
        "first_outputs": split.blocks * split.block.outputs,
        "stream": table.name,
        "rest_stream": f"{table.name} + {split.words}",
        "stream_end": f"{table.name} + {words.size}",
        "expand": expand.name,
        "first": block.name,
        "rest": rest.name,
    }
    return Assembled(params, (table,), tuple(dict.fromkeys((expand, block, rest))))


LOWERING = Lowering.at_any_price("te_fc_blocks", candidates, lower)
