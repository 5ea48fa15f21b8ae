"""Convolutions of any kernel, stride, dilation and padding: windows become operands, then products of matrices.

    rows of the input ---- window_expand ----> operands of 4 pixels ---- gemm ----> 4 pixels of the output

Windows with a border, with holes, or that a ring cuts are gathered first. Blocks of four pixels go on across the
rows of the output, so that only the last of a call may compute pixels once more. Expanding takes at most 13
instructions for every 4 inputs of 4 pixels, the product 22 or 23 for every 2 channels: what overlaps between one
block and the next is not worth keeping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial

from ...graph import DType
from ...ops.conv2d import Conv2D
from ...target import Candidate, Form
from ..native.conv2d import is_pointwise
from ..native.lowering import CALL, PART, Params, prefixed
from ..native.packing import differences, window_params
from .cycles import executed
from .function import Routine
from .gemm import OPERAND_BYTES, PackedGemm, for_each_part, packed_gemms
from .lowering import Assembled, Lowering
from .operands import GROUP
from .window_expand import routine
from .window_shape import PIXELS, Expansion, Window, in_reach

LARGEST_SHARED = 3  # taps of a row: registers are short
KERNEL = "te_conv_gemm"
POINTER_BYTES = 8  # on the largest machine that runs the C
PER_INNER_BLOCK = 8  # instructions of the C around a block
PER_INNER_ROW = 4  # of the kernel
PER_OTHER_BLOCK = 30
PER_SEEN_PIXEL = 38
PER_SEEN_ROW = 5
PER_GATHERED_ROW = 8
PER_GATHERED_TAP = 9
PER_COPY = 2  # a word, or a byte that is left over
PER_OUTPUT_ROW = 60


@dataclass(frozen=True)
class Blocks:
    """How the pixels of an output are taken, four at a time."""

    inner: int = 0  # in one row, without a border
    others: int = 0

    def __add__(self, other: Blocks) -> Blocks:
        return Blocks(self.inner + other.inner, self.others + other.others)


def window_of(op: Conv2D) -> Window:
    """Where neighbours share inputs, in the order that makes use of it."""
    plain = Window(op.kernel.rows, op.kernel.columns * op.x.pixel_bytes)
    whole = op.x.pixel_bytes % GROUP == 0 and in_reach(plain, op.x.pixel_bytes)
    shares = op.stride.columns == 1 and 1 < op.kernel.columns <= LARGEST_SHARED
    return replace(plain, taps=op.kernel.columns) if whole and shares and len(inner_columns(op)) >= PIXELS else plain


def inner_columns(op: Conv2D) -> range:
    """Of the output: those whose windows lie in the image in one piece."""
    if op.dilation.columns > 1:
        return range(0)
    start = -(-op.padding.left // op.stride.columns)
    last = (op.x.image.columns + op.padding.left - op.kernel.columns) // op.stride.columns
    return range(start, max(min(last + 1, op.y.image.columns), start))


@cache
def blocks_of(inner: range, columns: int, pixels: int) -> Blocks:
    """Of so many pixels, row after row."""
    found, done = Blocks(), 0
    if len(inner) < PIXELS:
        return Blocks(others=pixels // PIXELS)
    while pixels - done >= PIXELS:
        column = done % columns
        some = min(inner.stop - column, pixels - done) // PIXELS if column >= inner.start else 0
        found += Blocks(inner=some) if some > 0 else Blocks(others=1)
        done += PIXELS * max(some, 1)
    return found


def candidates(op: Conv2D, flash_price: int) -> tuple[Candidate, ...]:
    return tuple(_candidate(op, gemm) for gemm in _gemms(op, flash_price))


def lower(op: Conv2D, chosen: Candidate, function: str, flash_price: int) -> Assembled:
    (gemm,) = (gemm for gemm in _gemms(op, flash_price) if gemm.packed.packing.value == chosen.spec["packing"])
    inner, anywhere = _expansions(op, gemm)
    params: Params = {
        **prefixed("window", window_params(op)),
        **prefixed("gemm", gemm.params(function)),
        "operand_bytes": _operand_bytes(gemm),
        "patch_bytes": _patch_bytes(op),
        "zero_bytes": _zero_bytes(op, inner),
        "expand_inner": inner.name if inner else 0,
        "expand_any": anywhere.name,
    }
    routines = (anywhere, *gemm.routines) if inner is None else (inner, anywhere, *gemm.routines)
    return Assembled(params, gemm.constants(function), routines)


LOWERING = Lowering(KERNEL, candidates, lower)


def _gemms(op: Conv2D, flash_price: int) -> tuple[PackedGemm, ...]:
    if is_pointwise(op) or op.groups != 1 or op.x.dtype is not DType.INT8:
        return ()
    weights = window_of(op).ordered(differences(op).reshape(op.channels, op.depth))
    return packed_gemms(op, weights, op.channels, flash_price)


def _expansions(op: Conv2D, gemm: PackedGemm) -> tuple[Routine | None, Routine]:
    """For inner pixels, if that is worth its flash; and for any."""
    window, pitch, image = window_of(op), op.stride.columns * op.x.pixel_bytes, op.y.image
    anywhere = routine(Expansion(window, gemm.operands, 0))
    blocks = blocks_of(inner_columns(op), image.columns, image.rows * image.columns).inner
    if not blocks or not in_reach(window, pitch):
        return None, anywhere
    inner = routine(Expansion(window, gemm.operands, pitch))
    saved = blocks * (_other_block(op, anywhere) - _inner_block(op, inner))
    return inner if saved >= gemm.flash_price * inner.function.code_bytes else None, anywhere


def _candidate(op: Conv2D, gemm: PackedGemm) -> Candidate:
    image = op.y.image
    whole = _instructions(op, gemm, image.rows * image.columns) + image.rows * _row_instructions(op)
    of_a_row = _instructions(op, gemm, image.columns) + _row_instructions(op)
    inner, anywhere = _expansions(op, gemm)
    zeros = _zero_bytes(op, inner)
    return Candidate(
        backend="armv7em",
        kernel=KERNEL,
        form=Form.STRIP,
        scratch_bytes=_operand_bytes(gemm) + _table_bytes(op) + PIXELS * _patch_bytes(op) + zeros,
        alignment=GROUP if op.x.pixel_bytes % GROUP == 0 else 1,  # word accesses of any address are slower
        scratch_alignment=8,
        weight_bytes=gemm.weight_bytes,
        code_bytes=gemm.code_bytes + sum(made.function.code_bytes for made in (inner, anywhere) if made),
        instructions=round(whole),
        call_instructions=CALL + round(of_a_row - whole / max(image.rows, 1)) + zeros,
        part_instructions=PART + PER_OUTPUT_ROW + round(for_each_part(image.columns, partial(_instructions, op, gemm))),
        spec={"packing": gemm.packed.packing.value},
    )


def _instructions(op: Conv2D, gemm: PackedGemm, pixels: int) -> float:
    """Of pixels that follow each other, without what each row takes. Blocks go on across rows."""
    inner, anywhere = _expansions(op, gemm)
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
    tap = PER_GATHERED_TAP + PER_COPY * sum(divmod(op.x.pixel_bytes, GROUP))
    return PER_OUTPUT_ROW + borders * op.kernel.rows * (PER_GATHERED_ROW + op.kernel.columns * tap)


def _operand_bytes(gemm: PackedGemm) -> int:
    return OPERAND_BYTES * GROUP * gemm.groups


def _table_bytes(op: Conv2D) -> int:
    return op.kernel.rows * PIXELS * POINTER_BYTES


def _patch_bytes(op: Conv2D) -> int:
    """A window, or the outputs of a pixel."""
    return max(op.kernel.rows * op.kernel.columns * op.x.pixel_bytes, op.channels)


def _zero_bytes(op: Conv2D, inner: Routine | None) -> int:
    """What a pixel sees of one row, or four neighbours together."""
    steps = (PIXELS - 1) * op.stride.columns if inner else 0
    return (steps + op.kernel.columns) * op.x.pixel_bytes
