"""Convolutions of int16 values with any kernel: windows become operands, then products of matrices.

As window.py, with the blocks of wide_block.py. Each row of a window is a segment that ends with a 0 if its inputs
are an odd number.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ...graph import Array, DType
from ...ops.conv2d import Conv2D
from ...target import Candidate, Form
from ..native.conv2d import is_pointwise
from ..native.lowering import CALL, PART, Params, prefixed
from ..native.packing import differences, window_params
from . import isa
from .cycles import executed
from .function import Routine
from .lowering import Assembled, Lowering
from .wide_expand import Windows, windows_routine
from .wide_gemm import WideGemm, wide_gemms
from .window import (
    PER_COPY,
    PER_GATHERED_ROW,
    PER_GATHERED_TAP,
    PER_INNER_BLOCK,
    PER_INNER_ROW,
    PER_OTHER_BLOCK,
    PER_OUTPUT_ROW,
    PER_SEEN_PIXEL,
    PER_SEEN_ROW,
    POINTER_BYTES,
    blocks_of,
    inner_columns,
)

KERNEL = "te_wide_conv"
PIXELS = 4


def candidates(op: Conv2D, flash_price: int) -> tuple[Candidate, ...]:
    return tuple(_candidate(op, gemm) for gemm in _gemms(op, flash_price))


def lower(op: Conv2D, chosen: Candidate, function: str, flash_price: int) -> Assembled:
    (gemm,) = (gemm for gemm in _gemms(op, flash_price) if gemm.spec == chosen.spec["packing"])
    inner, anywhere = _expansions(op, gemm.flash_price)
    params: Params = {
        **prefixed("window", window_params(op)),
        **prefixed("gemm", gemm.params(function)),
        "operand_bytes": gemm.operand_bytes,
        "patch_bytes": _patch_bytes(op, gemm),
        "zero_bytes": _zero_bytes(op, inner),
        "expand_inner": inner.name if inner else 0,
        "expand_any": anywhere.name,
    }
    routines = (anywhere, *gemm.routines) if inner is None else (inner, anywhere, *gemm.routines)
    return Assembled(params, gemm.constants(function), routines)


LOWERING = Lowering(KERNEL, candidates, lower)


@lru_cache(maxsize=256)
def _gemms(op: Conv2D, flash_price: int) -> tuple[WideGemm, ...]:
    if op.x.dtype is not DType.INT16 or is_pointwise(op) or op.groups != 1:
        return ()
    return wide_gemms(op, segmented(op), flash_price)


def segmented(op: Conv2D) -> Array:
    """[channels, operands]: the weights with a 0 behind each segment that is odd."""
    weights = differences(op).reshape(op.channels, op.kernel.rows, -1)
    return np.pad(weights, ((0, 0), (0, 0), (0, weights.shape[2] % 2))).reshape(op.channels, -1)


def _expansions(op: Conv2D, flash_price: int) -> tuple[Routine | None, Routine]:
    """For inner pixels, if that is worth its flash; and for any."""
    inputs, pitch, image = op.depth // op.kernel.rows, op.stride.columns * op.x.pixel_bytes, op.y.image
    anywhere = windows_routine(Windows(op.kernel.rows, inputs, 0))
    blocks = blocks_of(inner_columns(op), image.columns, image.rows * image.columns).inner
    if not blocks or pitch > isa.LARGEST_OFFSET:
        return None, anywhere
    inner = windows_routine(Windows(op.kernel.rows, inputs, pitch))
    saved = blocks * (_other_block(op, anywhere) - _inner_block(op, inner))
    return inner if saved >= flash_price * inner.function.code_bytes else None, anywhere


def _candidate(op: Conv2D, gemm: WideGemm) -> Candidate:
    image = op.y.image
    whole = _instructions(op, gemm, image.rows * image.columns) + image.rows * _row_instructions(op)
    of_a_row = _instructions(op, gemm, image.columns) + _row_instructions(op)
    inner, anywhere = _expansions(op, gemm.flash_price)
    zeros = _zero_bytes(op, inner)
    table = op.kernel.rows * PIXELS * POINTER_BYTES
    return Candidate(
        backend="armv7em",
        kernel=KERNEL,
        form=Form.STRIP,
        scratch_bytes=gemm.operand_bytes + table + PIXELS * _patch_bytes(op, gemm) + zeros,
        alignment=4 if op.x.pixel_bytes % 4 == 0 else 1,  # word accesses of any address are slower
        scratch_alignment=8,
        weight_bytes=gemm.weight_bytes,
        code_bytes=gemm.code_bytes + sum(made.function.code_bytes for made in (inner, anywhere) if made),
        instructions=round(whole),
        call_instructions=CALL + round(of_a_row - whole / image.rows) + zeros,
        part_instructions=PART + PER_OUTPUT_ROW + round(_halving(op, gemm)),
        spec={"packing": gemm.spec},
    )


def _halving(op: Conv2D, gemm: WideGemm) -> float:
    """What two halves of a row take beyond the whole: pixels left over."""
    columns = op.y.image.columns
    halves = _instructions(op, gemm, columns // 2) + _instructions(op, gemm, columns - columns // 2)
    return max(halves - _instructions(op, gemm, columns), 0)


def _instructions(op: Conv2D, gemm: WideGemm, pixels: int) -> float:
    """Of pixels that follow each other, without what each row takes. Blocks go on across rows."""
    inner, anywhere = _expansions(op, gemm.flash_price)
    blocks = blocks_of(inner_columns(op) if inner else range(0), op.y.image.columns, pixels)
    left = pixels - PIXELS * (blocks.inner + blocks.others)
    found = gemm.instructions(pixels) if left < 2 or pixels > PIXELS else gemm.instructions(PIXELS)
    found += _other_block(op, anywhere) * (blocks.others + (left > 0))
    return found + (_inner_block(op, inner) * blocks.inner if inner else 0)


def _inner_block(op: Conv2D, expand: Routine) -> int:
    """Beside the product."""
    return executed(expand.function.lines) + PER_INNER_BLOCK + op.kernel.rows * PER_INNER_ROW


def _other_block(op: Conv2D, expand: Routine) -> int:
    seen = PIXELS * (PER_SEEN_PIXEL + op.kernel.rows * PER_SEEN_ROW)
    return executed(expand.function.lines) + PER_OTHER_BLOCK + seen


def _row_instructions(op: Conv2D) -> float:
    """To enter an output row, and to gather the windows with a border."""
    borders = op.y.image.columns - len(inner_columns(op))
    tap = PER_GATHERED_TAP + PER_COPY * sum(divmod(op.x.pixel_bytes, 4))
    return PER_OUTPUT_ROW + borders * op.kernel.rows * (PER_GATHERED_ROW + op.kernel.columns * tap)


def _patch_bytes(op: Conv2D, gemm: WideGemm) -> int:
    """A window, or the outputs of a pixel."""
    return max(op.kernel.rows * op.kernel.columns * op.x.pixel_bytes, gemm.pixel_bytes)


def _zero_bytes(op: Conv2D, inner: Routine | None) -> int:
    """What a pixel sees of one row, or four neighbours together."""
    steps = (PIXELS - 1) * op.stride.columns if inner else 0
    return (steps + op.kernel.columns) * op.x.pixel_bytes
