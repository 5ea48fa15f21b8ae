"""Matrix products: which packings are offered, their kernels, tables and prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from ...graph import Array
from ...ops.scaled import ScaledOp
from ..native.conv2d import PER_MAC
from ..native.lowering import Params
from ..native.packing import PER_WIDE_MAC
from ..program import ConstantArray
from .cycles import executed
from .function import Routine
from .gemm_block import Packing
from .matrix_block import PLACES, MatrixBlock, block_routine
from .matrix_stream import PackedMatrix
from .packing import packings
from .wide_weights import wide_packings

CALL = 8  # instructions around a block: arguments and branch
CODE_BYTES = 3.9  # of an instruction
LARGEST_UNROLLED = 104  # inputs in a row
SHARED_TURN = 2  # groups of a turn in shared blocks
SHARERS = 4  # layers, or more, that a shared block is expected to serve
DIVISIONS = (2, 4, 8)  # of a row into parts
MEMBERS = ("pairs", "last_channel", "pairs_of_one", "last_of_one")  # of te_gemm_t


@dataclass(frozen=True, eq=False)
class Gemm:
    """One packing of one operator: kernels/c/te_gemm.h with generated blocks."""

    packed: PackedMatrix
    pixels: int  # of one inference
    flash_price: int

    @property
    def spec(self) -> str:
        return self.packed.spec

    @property
    def stream(self) -> Array:
        return self.packed.stream

    @property
    def pixel_bytes(self) -> int:
        """Of the output."""
        return self.packed.block.pitch

    @property
    def operand_bytes(self) -> int:
        """Of scratch."""
        return self.packed.block.operand_bytes

    @property
    def weight_bytes(self) -> int:
        return int(self.stream.nbytes)

    @cached_property
    def code_bytes(self) -> int:
        """Its part of them, where others have theirs."""
        whole = sum(routine.function.code_bytes for routine in self.routines)
        return whole // SHARERS if self.packed.block.shared else whole

    def instructions(self, pixels: int) -> float:
        """Of the blocks alone, for neighbours."""
        blocks, left = block_counts(pixels)
        return blocks * self._executed(PLACES) + left * self._executed(1)

    def _executed(self, pixels: int) -> int:
        some = (block for block in self._blocks.values() if block.pixels == pixels)
        return sum(CALL + executed(block_routine(block).function.lines) for block in some)

    @cached_property
    def cost(self) -> Cost:
        return Cost(self.instructions(self.pixels), self.weight_bytes + self.code_bytes)

    @property
    def price(self) -> float:
        return self.cost.instructions + self.flash_price * self.cost.flash_bytes

    def is_worth_more_than(self, other: Cost) -> bool:
        """Does it save enough instructions for the flash that it takes beyond the other?"""
        saved, longer = other.instructions - self.cost.instructions, self.cost.flash_bytes - other.flash_bytes
        return saved > 0 and saved >= self.flash_price * longer

    def params(self, function: str) -> Params:
        """Members of te_gemm_t."""
        stream, size = _stream_name(function), len(self.stream)
        routines = {name: block_routine(block).name for name, block in self._blocks.items()}
        return {
            "stream": stream,
            "last": f"{stream} + {size - self.packed.last_words}",
            "stream_end": f"{stream} + {size}",
            "last_offset": self.pixel_bytes - self.packed.block.requant.output_bytes,
            **{name: routines.get(name, 0) for name in MEMBERS},
        }

    def constants(self, function: str) -> tuple[ConstantArray, ...]:
        shape = "bytes of operands and of an output pixel; " if self.packed.block.shared else ""
        comment = f"{shape}biases, weights {self.spec}, requantisation of each two channels"
        return (ConstantArray(_stream_name(function), "uint32_t", self.stream, comment, 8),)

    @cached_property
    def routines(self) -> tuple[Routine, ...]:
        return tuple(map(block_routine, self._blocks.values()))

    @cached_property
    def _blocks(self) -> dict[str, MatrixBlock]:
        """By member of te_gemm_t."""
        return dict(self._made_blocks())

    def _made_blocks(self) -> Iterator[tuple[str, MatrixBlock]]:
        four = self.packed.block
        if four.passes:
            yield "pairs", self._looped(four)
            yield "pairs_of_one", self._looped(four.one_pixel)
        if self.packed.last_words:
            yield "last_channel", self._looped(four.last_channel)
            yield "last_of_one", self._looped(four.last_channel.one_pixel)

    def _looped(self, block: MatrixBlock) -> MatrixBlock:
        """With so many groups in a turn of its loop as is worth the code."""
        if block.shared:
            return replace(block, turn_groups=min(SHARED_TURN, block.groups - 1))
        calls, most = block_counts(self.pixels)[0 if block.pixels > 1 else 1], LARGEST_UNROLLED // block.group_inputs
        flash_price = self.flash_price * (CODE_BYTES * block.group_instructions)  # of a group
        possible = (replace(block, turn_groups=turn) for turn in range(min(block.groups, most) + 1))
        fitting = (made for made in possible if made.coded_groups <= most)
        return min(fitting, key=lambda made: calls * made.loop_instructions + flash_price * made.coded_groups)


@dataclass(frozen=True)
class Cost:
    """Of one inference."""

    instructions: float
    flash_bytes: int


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


# --- which packings ---------------------------------------------------------------------------------------------


def proved_gemms(
    op: ScaledOp, weights: Array, flash_price: int, wanted: Sequence[Packing] = tuple(Packing)
) -> tuple[Gemm, ...]:
    """Packings of [channels, depth] that are proved."""
    return _gemms(op, packings(op, weights, wanted), flash_price)


def packed_gemms(op: ScaledOp, weights: Array, flash_price: int) -> tuple[Gemm, ...]:
    """Those of them that are worth their flash, best first.

    Two bytes for each weight are only worth it where that saves enough: many pixels, few inputs.
    """
    proved = partial(proved_gemms, op, weights, flash_price)
    small, large = proved((Packing.X256,)) or proved((Packing.I8,)), proved((Packing.I16,))
    if not large:
        return small
    portable = Cost(large[0].pixels * weights.size * PER_MAC, weights.size)
    return large + small if large[0].is_worth_more_than(small[0].cost if small else portable) else small


def proved_wide_gemms(op: ScaledOp, weights: Array, flash_price: int) -> tuple[Gemm, ...]:
    """Packings for int16 inputs that are proved, small ones first."""
    return _gemms(op, wide_packings(op, weights), flash_price)


def wide_gemms(op: ScaledOp, weights: Array, flash_price: int) -> tuple[Gemm, ...]:
    """What is worth its flash of them."""
    proved = proved_wide_gemms(op, weights, flash_price)
    if not proved:
        return ()
    *small, large = proved
    pixels = large.pixels
    other = small[0].cost if small else Cost(pixels * weights.size * PER_WIDE_MAC, weights.size)
    return (large, *small) if large.is_worth_more_than(other) else tuple(small)


def _gemms(op: ScaledOp, packed: Sequence[PackedMatrix], flash_price: int) -> tuple[Gemm, ...]:
    return tuple(_gemm(one, op.y.elements // op.channels, flash_price) for one in packed)


def _gemm(packed: PackedMatrix, pixels: int, flash_price: int) -> Gemm:
    """With blocks of its own, or shared ones: with a loop, which takes two groups of inputs."""
    own = Gemm(packed, pixels, flash_price)
    if packed.block.groups < 2:
        return own
    return min(own, replace(own, packed=packed.with_shared_block()), key=lambda gemm: gemm.price)


def _stream_name(function: str) -> str:
    return f"{function}_stream"
