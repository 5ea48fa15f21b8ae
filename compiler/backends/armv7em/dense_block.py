"""What fully_connected.py and wide_fc.py share: blocks of some outputs of one row, and of which sizes they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Generic, TypeVar

from ...graph import Padding
from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ..native.lowering import Params
from ..program import ConstantArray
from . import isa
from .dense import chunks
from .function import Routine
from .instr import Instr
from .requant import Requant

INPUTS = ("r2", "r3")
ACCUMULATORS = ("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
SPARE = "lr"
TURN = 8  # groups of a loop's body
LARGEST_STRAIGHT = 12  # groups without a loop


@dataclass(frozen=True)
class OutputBlock(ABC):
    """What a kernel is generated for: any number of blocks of so many outputs."""

    outputs: int  # at a time
    requant: Requant
    uniform: bool = field(default=False, kw_only=True)  # are all outputs requantised alike?
    passes: int = field(default=1, kw_only=True)  # the code does not depend on it

    @property
    @abstractmethod
    def routine(self) -> Routine: ...

    @property
    @abstractmethod
    def words(self) -> int:
        """Of one pass in the stream."""

    @property
    @abstractmethod
    def instructions(self) -> int:
        """Of a call."""

    @property
    def accumulators(self) -> Sequence[str]:
        return ACCUMULATORS[: self.outputs]

    @property
    def parameters(self) -> Sequence[str]:
        """Registers for the requantisation of some outputs at once."""
        return (*INPUTS, *ACCUMULATORS[self.outputs :], "r12")

    @property
    def at_once(self) -> int:
        return self.outputs if self.uniform else len(self.parameters) // self.requant.words


def next_words(registers: Sequence[str]) -> Instr:
    """Of the stream."""
    return isa.ldm_next("r1", registers) if len(registers) > 1 else isa.ldr_next(registers[0], "r1")


def finish(block: OutputBlock) -> Iterator[Instr]:
    """Outputs to r0 and on."""
    words = block.requant.words
    for accumulators in chunks(block.accumulators, block.at_once):
        registers = block.parameters[: words * (1 if block.uniform else len(accumulators))]
        yield isa.ldm_next("r1", registers)
        factors = chunks(registers, words) * (len(accumulators) if block.uniform else 1)
        for acc, (mantissa, addend, *shift) in zip(accumulators, factors, strict=True):
            yield from block.requant.instructions([acc], mantissa, addend, shift[0] if shift else "", SPARE)
            yield block.requant.store_next(acc, "r0")


# --- which blocks -----------------------------------------------------------------------------------------------

B = TypeVar("B", bound=OutputBlock)


@dataclass(frozen=True)
class Split(Generic[B]):
    """All outputs as blocks of one size, then blocks one smaller."""

    used: tuple[B, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(block.outputs for block in self.used for _ in range(block.passes))

    @cached_property
    def routines(self) -> tuple[Routine, ...]:
        return tuple(block.routine for block in self.used)

    @property
    def weight_bytes(self) -> int:
        return 4 * sum(block.passes * block.words for block in self.used)

    @property
    def code_bytes(self) -> int:
        return sum(routine.function.code_bytes for routine in self.routines)

    @property
    def instructions(self) -> int:
        return sum(block.instructions for block in self.used)

    def params(self, op: FullyConnected | Conv2D, table: ConstantArray) -> Params:
        """Members of te_fc_blocks_t and te_wide_fc_t."""
        first = self.used[0]
        return {
            "rows": rows_of(op),
            "inputs": op.depth,
            "outputs": op.channels,
            "first_outputs": first.passes * first.outputs,
            "stream": table.name,
            "rest_stream": f"{table.name} + {first.passes * first.words}",
            "stream_end": f"{table.name} + {table.values.size}",
            "first": self.routines[0].name,
            "rest": self.routines[-1].name,
        }


def best_split(block: B, outputs: int) -> Split[B]:
    """Into blocks that are as equal as can be."""
    splits = []
    for largest in range(1, len(ACCUMULATORS) + 1):
        count = -(-outputs // largest)
        size = -(-outputs // count)
        smaller = size * count - outputs
        sizes = ((size, count - smaller), (size - 1, smaller))
        splits.append(Split(tuple(replace(block, outputs=n, passes=passes) for n, passes in sizes if passes)))
    return min(splits, key=lambda split: split.instructions)


# --- which operators --------------------------------------------------------------------------------------------


def is_dense(op: FullyConnected | Conv2D) -> bool:
    """FULLY_CONNECTED, or CONV_2D on a single pixel."""
    if not op.weights.is_constant:
        return False
    if isinstance(op, FullyConnected):
        return True
    pointwise = op.kernel == (1, 1) and op.padding == Padding() and op.groups == 1
    return pointwise and op.x.image[:2] == op.y.image[:2] == (1, 1)


def rows_of(op: FullyConnected | Conv2D) -> int:
    return op.batches if isinstance(op, FullyConnected) else 1
