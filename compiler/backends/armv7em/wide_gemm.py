"""Matrix products of int16 operators: which packings are offered, their kernels, tables and prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from ...graph import Array
from ...ops.scaled import ScaledOp
from ..native.lowering import Params
from ..program import ConstantArray
from .cycles import executed
from .function import Routine
from .gemm import CALL, CODE_BYTES, block_counts
from .wide_block import PAIR_OPERAND_BYTES, WideBlock, WidePacking, block_routine
from .wide_weights import WidePacked, wide_packings

LARGEST_UNROLLED = 52  # pairs of inputs in a row


@dataclass(frozen=True, eq=False)
class WideGemm:
    """One packing of one operator: kernels/c/te_gemm.h with generated blocks."""

    packed: WidePacked
    channels: int
    pixels: int  # of one inference
    flash_price: int

    @property
    def spec(self) -> str:
        return self.packed.packing.value

    @property
    def pixel_bytes(self) -> int:
        """Of the output."""
        return 2 * self.channels

    @property
    def operand_bytes(self) -> int:
        return PAIR_OPERAND_BYTES * self.packed.layer.pairs

    @property
    def weight_bytes(self) -> int:
        return int(self.packed.stream.nbytes)

    @cached_property
    def code_bytes(self) -> int:
        return sum(routine.function.code_bytes for routine in self.routines)

    def instructions(self, pixels: int) -> float:
        """Of the blocks alone, for neighbours."""
        blocks, left = block_counts(pixels)
        return blocks * self._executed(4) + left * self._executed(1)

    def _executed(self, pixels: int) -> int:
        return sum(CALL + _executed(block) for block in self._blocks.values() if block.pixels == pixels)

    def params(self, function: str) -> Params:
        """Members of te_gemm_t. Its outputs are bytes: the last channel's begins `channels - 1` behind the first,
        and there is a last channel if that is even."""
        stream = _stream_name(function)
        size = len(self.packed.stream)
        routines = {name: block_routine(block).name for name, block in self._blocks.items()}
        return {
            "channels": self.pixel_bytes - self.channels % 2,
            "stream": stream,
            "last": f"{stream} + {size - self.packed.last_words}",
            "stream_end": f"{stream} + {size}",
            **{name: routines.get(name, 0) for name in ("pairs", "last_channel", "pairs_of_one", "last_of_one")},
        }

    def constants(self, function: str) -> tuple[ConstantArray, ...]:
        comment = f"biases, weights {self.spec}, requantisation of each two channels"
        return (ConstantArray(_stream_name(function), "uint32_t", self.packed.stream, comment, 8),)

    @cached_property
    def routines(self) -> tuple[Routine, ...]:
        return tuple(map(block_routine, self._blocks.values()))

    @cached_property
    def _blocks(self) -> dict[str, WideBlock]:
        """By member of te_gemm_t."""
        return dict(self._made_blocks())

    def _made_blocks(self) -> Iterator[tuple[str, WideBlock]]:
        layer, passes = self.packed.layer, self.channels // 2
        four = WideBlock(self.packed.packing, layer.requant, layer.pairs, self.pixel_bytes, passes=passes)
        if passes:
            yield "pairs", self._looped(four)
            yield "pairs_of_one", self._looped(replace(four, pixels=1, pitch=0))
        if self.channels % 2:
            last = replace(four, packing=WidePacking.I16, channels=1, passes=1)
            yield "last_channel", self._looped(last)
            yield "last_of_one", self._looped(replace(last, pixels=1, pitch=0))

    def _looped(self, block: WideBlock) -> WideBlock:
        """With so many pairs in a turn of its loop as is worth the code."""
        calls = block_counts(self.pixels)[0 if block.pixels > 1 else 1]
        pair_bytes = CODE_BYTES * (block.channels * block.pixels + 4)
        possible = (replace(block, turn_pairs=turn) for turn in range(min(block.pairs, LARGEST_UNROLLED) + 1))
        fitting = (made for made in possible if made.coded_pairs <= max(LARGEST_UNROLLED, made.turn_pairs))
        return min(fitting, key=lambda b: calls * b.loop_instructions + self.flash_price * pair_bytes * b.coded_pairs)


def proved_wide_gemms(op: ScaledOp, weights: Array, flash_price: int) -> tuple[WideGemm, ...]:
    """All packings of [channels, depth] that are proved."""
    packed = wide_packings(op, weights)
    return tuple(WideGemm(one, op.channels, op.y.elements // op.channels, flash_price) for one in packed)


def wide_gemms(op: ScaledOp, weights: Array, flash_price: int) -> tuple[WideGemm, ...]:
    """Those of them that are worth their flash, best first.

    Two bytes for each weight are only worth it where that saves enough: many pixels, few inputs.
    """
    proved = proved_wide_gemms(op, weights, flash_price)
    if len(proved) < 2:
        return proved
    small, large = proved
    saved = small.instructions(small.pixels) - large.instructions(large.pixels)
    longer = large.weight_bytes + large.code_bytes - small.weight_bytes - small.code_bytes
    return (large, small) if saved > 0 and saved >= flash_price * longer else (small,)


def _stream_name(function: str) -> str:
    return f"{function}_stream"


def _executed(block: WideBlock) -> int:
    return executed(block_routine(block).function.lines)
