"""1x1 convolutions: the inputs of four pixels are expanded, then multiplied by the blocks of gemm.py."""

from __future__ import annotations

from functools import lru_cache, partial

from ...ops.conv2d import Conv2D
from ...target import Candidate, Form
from ..native.conv2d import is_pointwise
from ..native.lowering import CALL, PART, Params, prefixed
from ..native.packing import differences
from .cycles import executed
from .function import Routine
from .gemm import OPERAND_BYTES, PLACES, PackedGemm, block_counts, for_each_part, packed_gemms
from .lowering import Assembled, Lowering
from .operands import expand_routine, expansion_of

KERNEL = "te_gemm_pointwise"
AROUND_BLOCK = 16  # instructions of the loop in C around the expansion and a block
AROUND_SINGLE = 14
AROUND_SINGLES = 25
AROUND_ROW = 5  # where rows do not follow each other


def candidates(op: Conv2D, flash_price: int) -> tuple[Candidate, ...]:
    return tuple(_candidate(op, gemm) for gemm in _gemms(op, flash_price))


@lru_cache(maxsize=256)
def _gemms(op: Conv2D, flash_price: int) -> tuple[PackedGemm, ...]:
    if not is_pointwise(op) or op.groups != 1:
        return ()
    return packed_gemms(op, differences(op).reshape(op.channels, op.depth), op.channels, flash_price)


def _candidate(op: Conv2D, gemm: PackedGemm) -> Candidate:
    image, dense = op.y.image, op.stride == (1, 1)  # then rows follow each other
    rows, row = (1, image.rows * image.columns) if dense else (image.rows, image.columns)
    of_one_row = _instructions(op, gemm, image.columns)
    return Candidate(
        backend="armv7em",
        kernel=KERNEL,
        form=Form.STRIP,
        scratch_bytes=OPERAND_BYTES * 4 * gemm.groups,
        alignment=4 if op.depth % 4 == 0 else 1,  # word accesses of any address are slower
        scratch_alignment=8,
        run_pixels=PLACES if dense else 0,
        weight_bytes=gemm.weight_bytes,
        code_bytes=gemm.code_bytes + _expand(op, gemm).function.code_bytes,
        instructions=round(rows * (_instructions(op, gemm, row) + (0 if dense else AROUND_ROW))),
        call_instructions=CALL + round(of_one_row - image.columns / PLACES * _instructions(op, gemm, PLACES)),
        part_instructions=PART + round(for_each_part(image.columns, partial(_instructions, op, gemm))),
        spec={"packing": gemm.packed.packing.value},
    )


def _instructions(op: Conv2D, gemm: PackedGemm, pixels: int) -> float:
    """Of neighbours."""
    blocks, left = block_counts(pixels)
    expand = executed(_expand(op, gemm).function.lines)
    around = blocks * AROUND_BLOCK + left * AROUND_SINGLE + (AROUND_SINGLES if left else 0)
    return gemm.instructions(pixels) + (blocks + left) * expand + around


def _expand(op: Conv2D, gemm: PackedGemm) -> Routine:
    return expand_routine(expansion_of(gemm.operands, op.depth))


def lower(op: Conv2D, chosen: Candidate, function: str, flash_price: int) -> Assembled:
    (gemm,) = (gemm for gemm in _gemms(op, flash_price) if gemm.packed.packing.value == chosen.spec["packing"])
    expand = _expand(op, gemm)
    params: Params = {
        "inputs": op.depth,
        "stride_rows": op.stride.rows,
        "stride_cols": op.stride.columns,
        "expand": expand.name,
        **prefixed("gemm", gemm.params(function)),
    }
    return Assembled(params, gemm.constants(function), (expand, *gemm.routines))


LOWERING = Lowering(KERNEL, candidates, lower)
