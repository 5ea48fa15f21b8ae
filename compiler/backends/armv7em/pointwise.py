"""1x1 convolutions: the inputs of four pixels become operands, then are multiplied by the blocks of gemm_block.py."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from ..native.conv2d import is_pointwise
from ..native.lowering import CALL, PART, Params, prefixed
from ..native.packing import differences
from .cycles import executed
from .function import Routine
from .gemm import Gemm, block_counts, for_each_part, packed_gemms
from .gemm_block import Packing
from .lowering import Assembled, Lowering
from .matrix_block import PLACES
from .operands import expand_routine, expansion_of

KERNEL = "te_gemm_pointwise"
AROUND_BLOCK = 16  # instructions of the loop in C around the expansion and a block
AROUND_SINGLE = 14
AROUND_SINGLES = 25
AROUND_ROW = 5  # where rows do not follow each other


@dataclass(frozen=True, eq=False)
class Pixels:
    """Neighbours, of 8 or 16 bits, and one packing of the weights that they share."""

    op: Conv2D | FullyConnected
    gemm: Gemm
    expand: Routine
    turns: int  # of the loop in `expand`

    @property
    def in_bytes(self) -> int:
        """Of a pixel."""
        return self.op.depth * self.op.x.dtype.size

    @property
    def alignment(self) -> int:
        return 4 if self.in_bytes % 4 == 0 else 1  # word accesses of any address are slower

    @property
    def code_bytes(self) -> int:
        return self.gemm.code_bytes + self.expand.function.code_bytes

    @property
    def routines(self) -> tuple[Routine, ...]:
        return (self.expand, *self.gemm.routines)

    def instructions(self, pixels: int) -> float:
        blocks, left = block_counts(pixels)
        around = blocks * AROUND_BLOCK + left * AROUND_SINGLE + (AROUND_SINGLES if left else 0)
        return self.gemm.instructions(pixels) + (blocks + left) * executed(self.expand.function.lines) + around

    def params(self, function: str, stride_rows: int = 1, stride_cols: int = 1) -> Params:
        """Members of te_gemm_pointwise_t."""
        return {
            "in_bytes": self.in_bytes,
            "out_bytes": self.gemm.pixel_bytes,
            "turns": self.turns,
            "stride_rows": stride_rows,
            "stride_cols": stride_cols,
            "expand": self.expand.name,
            **prefixed("gemm", self.gemm.params(function)),
        }


@dataclass(frozen=True, eq=False)
class Pointwise(Pixels):
    """A convolution."""

    op: Conv2D
    kernel: str

    @cached_property
    def candidate(self) -> Candidate:
        image, dense = self.op.y.image, self.op.stride == (1, 1)  # then rows follow each other
        rows, row = (1, image.rows * image.columns) if dense else (image.rows, image.columns)
        left_over = self.instructions(image.columns) - image.columns / PLACES * self.instructions(PLACES)
        return Candidate(
            backend="armv7em",
            kernel=self.kernel,
            form=Form.STRIP,
            scratch_bytes=self.gemm.operand_bytes,
            alignment=self.alignment,
            scratch_alignment=8,
            run_pixels=PLACES if dense else 0,
            weight_bytes=self.gemm.weight_bytes,
            code_bytes=self.code_bytes,
            instructions=round(rows * (self.instructions(row) + (0 if dense else AROUND_ROW))),
            call_instructions=CALL + round(left_over),
            part_instructions=PART + round(for_each_part(image.columns, self.instructions)),
            spec={"packing": self.gemm.spec},
        )

    def assembled(self, function: str) -> Assembled:
        params = self.params(function, *self.op.stride)
        return Assembled(params, self.gemm.constants(function), self.routines)


def _layers(op: Conv2D, flash_price: int) -> tuple[Pointwise, ...]:
    if not is_pointwise(op) or op.groups != 1:
        return ()
    gemms = packed_gemms(op, differences(op).reshape(op.channels, op.depth), flash_price)
    return tuple(_layer(op, gemm) for gemm in gemms)


def _layer(op: Conv2D, gemm: Gemm) -> Pointwise:
    shape = expansion_of(Packing(gemm.spec).operands, op.depth)
    return Pointwise(op, gemm, expand_routine(shape), shape.whole, KERNEL)


LOWERING = Lowering.of_layers(KERNEL, _layers)
