"""1x1 convolutions of int16 values, and FULLY_CONNECTED on many rows: pointwise.py with the blocks of wide_block.py."""

from __future__ import annotations

from functools import cached_property

from ...graph import DType
from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from ..native.conv2d import is_pointwise
from ..native.lowering import Params, prefixed
from ..native.packing import differences
from .gemm import wide_gemms
from .lowering import Assembled, Lowering
from .pointwise import Pixels, Pointwise
from .wide_expand import expand_routine, turns_of

KERNEL = "te_wide_pointwise"
ROWS_KERNEL = "te_wide_rows"


def _layers(op: Conv2D, flash_price: int) -> tuple[Pointwise, ...]:
    if op.x.dtype is not DType.INT16 or not is_pointwise(op) or op.groups != 1:
        return ()
    gemms = wide_gemms(op, differences(op).reshape(op.channels, op.depth), flash_price)
    return tuple(Pointwise(op, gemm, expand_routine(op.depth), turns_of(op.depth), KERNEL) for gemm in gemms)


LOWERING = Lowering.of_layers(KERNEL, _layers)


# --- FULLY_CONNECTED ----------------------------------------------------------------------------------------------


class Rows(Pixels):
    """They are the pixels."""

    op: FullyConnected

    @cached_property
    def candidate(self) -> Candidate:
        return Candidate(
            backend="armv7em",
            kernel=ROWS_KERNEL,
            form=Form.WHOLE,
            scratch_bytes=self.gemm.operand_bytes,
            alignment=self.alignment,
            scratch_alignment=8,
            weight_bytes=self.gemm.weight_bytes,
            code_bytes=self.code_bytes,
            instructions=round(self.instructions(self.op.batches)),
            spec={"packing": self.gemm.spec},
        )

    def assembled(self, function: str) -> Assembled:
        params: Params = {"rows": self.op.batches, **prefixed("pixels", self.params(function))}
        return Assembled(params, self.gemm.constants(function), self.routines)


def _rows(op: FullyConnected, flash_price: int) -> tuple[Rows, ...]:
    """With a single row, or a few, the blocks of wide_fc.py are shorter."""
    if op.x.dtype is not DType.INT16 or op.batches < 2 or not op.weights.is_constant:
        return ()
    gemms = wide_gemms(op, differences(op), flash_price)
    return tuple(Rows(op, gemm, expand_routine(op.depth), turns_of(op.depth)) for gemm in gemms)


ROWS_LOWERING = Lowering.of_layers(ROWS_KERNEL, _rows)
