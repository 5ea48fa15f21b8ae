"""1x1 convolutions of int16 values, and FULLY_CONNECTED on many rows: four pixels or rows become operands, then are
multiplied by the blocks of wide_block.py.
"""

from __future__ import annotations

from functools import lru_cache

from ...graph import DType
from ...ops.conv2d import Conv2D
from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from ..native.conv2d import is_pointwise
from ..native.lowering import CALL, PART, Params, prefixed
from ..native.packing import differences
from .cycles import executed
from .function import Routine
from .gemm import block_counts
from .lowering import Assembled, Lowering
from .wide_expand import TURN_WORDS, expand_routine
from .wide_gemm import WideGemm, wide_gemms

KERNEL = "te_wide_pointwise"
ROWS_KERNEL = "te_wide_rows"
AROUND_BLOCK = 16  # instructions of the loop in C around the expansion and a block
AROUND_SINGLE = 14
AROUND_ROW = 25  # where rows do not follow each other


def candidates(op: Conv2D, flash_price: int) -> tuple[Candidate, ...]:
    return tuple(_candidate(op, gemm) for gemm in _gemms(op, flash_price))


@lru_cache(maxsize=256)
def _gemms(op: Conv2D, flash_price: int) -> tuple[WideGemm, ...]:
    if op.x.dtype is not DType.INT16 or not is_pointwise(op) or op.groups != 1:
        return ()
    return wide_gemms(op, differences(op).reshape(op.channels, op.depth), flash_price)


def _candidate(op: Conv2D, gemm: WideGemm) -> Candidate:
    image, dense = op.y.image, op.stride == (1, 1)
    rows, row = (1, image.rows * image.columns) if dense else (image.rows, image.columns)
    of_one_row = _instructions(op, gemm, image.columns)
    return Candidate(
        backend="armv7em",
        kernel=KERNEL,
        form=Form.STRIP,
        scratch_bytes=gemm.operand_bytes,
        alignment=4 if op.depth % 2 == 0 else 1,  # word accesses of any address are slower
        scratch_alignment=8,
        run_pixels=4 if dense else 0,
        weight_bytes=gemm.weight_bytes,
        code_bytes=gemm.code_bytes + _expand(op).function.code_bytes,
        instructions=round(rows * (_instructions(op, gemm, row) + (0 if dense else AROUND_ROW))),
        call_instructions=CALL + round(of_one_row - image.columns / 4 * _instructions(op, gemm, 4)),
        part_instructions=PART,
        spec={"packing": gemm.spec},
    )


def _instructions(op: Conv2D | FullyConnected, gemm: WideGemm, pixels: int) -> float:
    """Of neighbours."""
    blocks, left = block_counts(pixels)
    expand = executed(_expand(op).function.lines)
    return gemm.instructions(pixels) + blocks * (AROUND_BLOCK + expand) + left * (AROUND_SINGLE + expand)


def _expand(op: Conv2D | FullyConnected) -> Routine:
    return expand_routine(op.depth)


def lower(op: Conv2D, chosen: Candidate, function: str, flash_price: int) -> Assembled:
    (gemm,) = (gemm for gemm in _gemms(op, flash_price) if gemm.spec == chosen.spec["packing"])
    expand = _expand(op)
    params = {**_params(op, gemm, function), "stride_rows": op.stride.rows, "stride_cols": op.stride.columns}
    return Assembled(params, gemm.constants(function), (expand, *gemm.routines))


def _params(op: Conv2D | FullyConnected, gemm: WideGemm, function: str) -> Params:
    """Members of te_wide_pointwise_t, but the strides."""
    return {
        "in_bytes": 2 * op.depth,
        "out_bytes": gemm.pixel_bytes,
        "turns": op.depth // 2 // TURN_WORDS,
        "expand": _expand(op).name,
        **prefixed("gemm", gemm.params(function)),
    }


LOWERING = Lowering(KERNEL, candidates, lower)


# --- FULLY_CONNECTED ----------------------------------------------------------------------------------------------


def row_candidates(op: FullyConnected, flash_price: int) -> tuple[Candidate, ...]:
    """With a single row, or a few, the blocks of wide_fc.py are shorter."""
    return tuple(_row_candidate(op, gemm) for gemm in _row_gemms(op, flash_price))


@lru_cache(maxsize=256)
def _row_gemms(op: FullyConnected, flash_price: int) -> tuple[WideGemm, ...]:
    if op.x.dtype is not DType.INT16 or op.batches < 2 or not op.weights.is_constant:
        return ()
    return wide_gemms(op, differences(op), flash_price)


def _row_candidate(op: FullyConnected, gemm: WideGemm) -> Candidate:
    return Candidate(
        backend="armv7em",
        kernel=ROWS_KERNEL,
        form=Form.WHOLE,
        scratch_bytes=gemm.operand_bytes,
        alignment=4 if op.depth % 2 == 0 else 1,
        scratch_alignment=8,
        weight_bytes=gemm.weight_bytes,
        code_bytes=gemm.code_bytes + _expand(op).function.code_bytes,
        instructions=round(_instructions(op, gemm, op.batches)),
        spec={"packing": gemm.spec},
    )


def lower_rows(op: FullyConnected, chosen: Candidate, function: str, flash_price: int) -> Assembled:
    (gemm,) = (gemm for gemm in _row_gemms(op, flash_price) if gemm.spec == chosen.spec["packing"])
    params: Params = {
        "rows": op.batches,
        **prefixed("pixels", {**_params(op, gemm, function), "stride_rows": 1, "stride_cols": 1}),
    }
    return Assembled(params, gemm.constants(function), (_expand(op), *gemm.routines))


ROWS_LOWERING = Lowering(ROWS_KERNEL, row_candidates, lower_rows)
