"""Matrix products of int8 operators: which packings are offered, their kernels, tables and prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from ...graph import Array
from ...ops.scaled import ScaledOp
from ..native.conv2d import PER_MAC
from ..native.lowering import Params
from ..program import ConstantArray
from .cycles import executed
from .function import Routine
from .gemm_block import PLACES, Block, block_routine
from .operands import Operands
from .packing import Packed, Packing, packings

__all__ = ["OPERAND_BYTES", "PLACES", "Operands", "PackedGemm", "block_counts", "packed_gemms"]

OPERAND_BYTES = 8  # of scratch for each input, in multiples of four
CALL = 8  # instructions around a block: arguments and branch
CODE_BYTES = 3.9  # of an instruction
AROUND_PRODUCTS = 6  # instructions of a group that load and unpack
LARGEST_UNROLLED = 26  # groups of four inputs in a row
DIVISIONS = (2, 4, 8)  # of a row into parts


@dataclass(frozen=True, eq=False)
class PackedGemm:
    """One packing of one operator: kernels/c/te_gemm.h with generated blocks."""

    packed: Packed
    pitch: int  # bytes from one output pixel to the next
    pixels: int  # of one inference
    flash_price: int

    @property
    def operands(self) -> Operands:
        return self.packed.packing.operands

    @property
    def groups(self) -> int:
        return self.packed.groups

    @property
    def channels(self) -> int:
        return self.packed.channels

    @property
    def stream(self) -> Array:
        return self.packed.stream

    @property
    def weight_bytes(self) -> int:
        return int(self.stream.nbytes)

    @cached_property
    def code_bytes(self) -> int:
        return sum(routine.function.code_bytes for routine in self.routines)

    @property
    def flash_bytes(self) -> int:
        return self.weight_bytes + self.code_bytes

    def instructions(self, pixels: int) -> float:
        """Of the blocks alone, for neighbours."""
        blocks, left = block_counts(pixels)
        return blocks * self._executed(PLACES) + left * self._executed(1)

    def _executed(self, pixels: int) -> int:
        return sum(CALL + _executed(block) for block in self._blocks.values() if block.pixels == pixels)

    def params(self, function: str) -> Params:
        """Members of te_gemm_t."""
        stream = _stream_name(function)
        last = len(self.stream) - self._last_words
        routines = {name: block_routine(block).name for name, block in self._blocks.items()}
        return {
            "channels": self.channels,
            "stream": stream,
            "last": f"{stream} + {last}",
            "stream_end": f"{stream} + {len(self.stream)}",
            **{name: routines.get(name, 0) for name in ("pairs", "last_channel", "pairs_of_one", "last_of_one")},
        }

    def constants(self, function: str) -> tuple[ConstantArray, ...]:
        comment = f"biases, weights {self.packed.packing.value}, requantisation of each two channels"
        return (ConstantArray(_stream_name(function), "uint32_t", self.stream, comment, 8),)

    @cached_property
    def routines(self) -> tuple[Routine, ...]:
        return tuple(map(block_routine, self._blocks.values()))

    @property
    def _last_words(self) -> int:
        """Of the last channel, if it has no partner."""
        packed = self.packed
        return self.channels % 2 * (1 + packed.groups * packed.packing.words + packed.requant.words)

    @cached_property
    def _blocks(self) -> dict[str, Block]:
        """By member of te_gemm_t."""
        return dict(self._made_blocks())

    def _made_blocks(self) -> Iterator[tuple[str, Block]]:
        packed, pairs = self.packed, self.channels // 2
        four = Block(packed.packing, packed.requant, packed.groups, self.pitch, passes=pairs)
        if pairs:
            yield "pairs", self._looped(four)
            yield "pairs_of_one", self._looped(replace(four, pixels=1, pitch=0))
        if self.channels % 2:
            last = replace(four, channels=1, passes=1)
            yield "last_channel", self._looped(last)
            yield "last_of_one", self._looped(replace(last, pixels=1, pitch=0))

    def _looped(self, block: Block) -> Block:
        """With so many groups in a turn of its loop as is worth the code."""
        calls = block_counts(self.pixels)[0 if block.pixels > 1 else 1]
        group_bytes = CODE_BYTES * (2 * block.channels * block.pixels + AROUND_PRODUCTS)
        possible = (replace(block, turn_groups=turn) for turn in range(min(block.groups, LARGEST_UNROLLED) + 1))
        fitting = (made for made in possible if made.coded_groups <= LARGEST_UNROLLED)
        return min(fitting, key=lambda b: calls * b.loop_instructions + self.flash_price * group_bytes * b.coded_groups)


def block_counts(pixels: int) -> tuple[int, int]:
    """Blocks of four neighbours, and single ones. Two or three left over take a block that computes others once
    more."""
    blocks, left = divmod(pixels, PLACES)
    return (blocks + 1, 0) if blocks and left > 1 else (blocks, left)


def for_each_part(columns: int, instructions: Callable[[int], float]) -> float:
    """What each further part of a row takes for pixels left over: as much as in the worst of some divisions."""
    whole, found = instructions(columns), [0.0]
    for number in (n for n in DIVISIONS if n <= columns):
        width, wider = divmod(columns, number)
        parts = (number - wider) * instructions(width) + wider * instructions(width + 1)
        found.append((parts - whole) / (number - 1))
    return max(found)


def proved_gemms(
    op: ScaledOp, weights: Array, pitch: int, flash_price: int, wanted: Sequence[Packing] = tuple(Packing)
) -> tuple[PackedGemm, ...]:
    """Packings of [channels, depth] that are proved."""
    pixels = op.y.image.rows * op.y.image.columns
    return tuple(PackedGemm(packed, pitch, pixels, flash_price) for packed in packings(op, weights, wanted))


def packed_gemms(op: ScaledOp, weights: Array, pitch: int, flash_price: int) -> tuple[PackedGemm, ...]:
    """Those of them that are worth their flash, best first.

    Two bytes for each weight are only worth it where that saves enough: many pixels, few inputs.
    """
    proved = partial(proved_gemms, op, weights, pitch, flash_price)
    small, large = proved((Packing.X256,)) or proved((Packing.I8,)), proved((Packing.I16,))
    if not large:
        return small
    pixels = large[0].pixels
    portable = pixels * weights.size * PER_MAC, weights.size
    instructions, flash = (small[0].instructions(pixels), small[0].flash_bytes) if small else portable
    saved, longer = instructions - large[0].instructions(pixels), large[0].flash_bytes - flash
    return large + small if saved > 0 and saved >= flash_price * longer else small


def _stream_name(function: str) -> str:
    return f"{function}_stream"


def _executed(block: Block) -> int:
    return executed(block_routine(block).function.lines)
