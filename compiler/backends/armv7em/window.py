"""Convolutions of any kernel, stride, dilation and padding: windows become operands, then products of matrices.

    rows of the input ---- window_expand ----> operands of 4 pixels ---- gemm ----> 4 pixels of the output

Windows with a border, with holes, or that a ring cuts are gathered first. Blocks of four pixels go on across the
rows of the output, so that only the last of a call may compute pixels once more. Expanding takes at most 13
instructions for every 4 inputs of 4 pixels, the product 22 or 23 for every 2 channels: what overlaps between one
block and the next is not worth keeping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property

from ...graph import DType
from ...ops.conv2d import Conv2D
from ...target import Candidate, Form
from ..native.conv2d import is_pointwise
from ..native.lowering import CALL, PART, Params, prefixed
from ..native.packing import differences, window_params
from .cycles import executed
from .function import Routine
from .gemm import Gemm, for_each_part, packed_gemms
from .gemm_block import Packing
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
    return replace(plain, taps=op.kernel.columns) if whole and shares and has_inner(op) else plain


def inner_columns(op: Conv2D) -> range:
    """Of the output: those whose windows lie in the image in one piece."""
    if op.dilation.columns > 1:
        return range(0)
    start = -(-op.padding.left // op.stride.columns)
    last = (op.x.image.columns + op.padding.left - op.kernel.columns) // op.stride.columns
    return range(start, max(min(last + 1, op.y.image.columns), start))


def has_inner(op: Conv2D) -> bool:
    """Blocks without a border?"""
    return len(inner_columns(op)) >= PIXELS


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


@dataclass(frozen=True, eq=False)
class WindowLayer:
    """All that is the same for 8 and 16 bits."""

    kernel: str
    op: Conv2D
    gemm: Gemm
    anywhere: Routine  # expands any pixels
    neighbours: Routine | None  # expands inner pixels, if that is possible

    @cached_property
    def inner(self) -> Routine | None:
        """`neighbours`, if worth its flash."""
        image, near = self.op.y.image, self.neighbours
        blocks = blocks_of(inner_columns(self.op), image.columns, image.rows * image.columns).inner
        if near is None or not blocks:
            return None
        saved = blocks * (self._other_block - self._inner_block(near))
        return near if saved >= self.gemm.flash_price * near.function.code_bytes else None

    @property
    def routines(self) -> tuple[Routine, ...]:
        inner = (self.inner,) if self.inner else ()
        return (*inner, self.anywhere, *self.gemm.routines)

    @cached_property
    def candidate(self) -> Candidate:
        op, image = self.op, self.op.y.image
        whole = self.instructions(image.rows * image.columns) + image.rows * self._row_instructions
        of_a_row = self.instructions(image.columns) + self._row_instructions
        table = op.kernel.rows * PIXELS * POINTER_BYTES
        return Candidate(
            backend="armv7em",
            kernel=self.kernel,
            form=Form.STRIP,
            scratch_bytes=self.gemm.operand_bytes + table + PIXELS * self._patch_bytes + self._zero_bytes,
            alignment=4 if op.x.pixel_bytes % 4 == 0 else 1,  # word accesses of any address are slower
            scratch_alignment=8,
            weight_bytes=self.gemm.weight_bytes,
            code_bytes=sum(made.function.code_bytes for made in self.routines),
            instructions=round(whole),
            call_instructions=CALL + round(of_a_row - whole / max(image.rows, 1)) + self._zero_bytes,
            part_instructions=PART + PER_OUTPUT_ROW + round(for_each_part(image.columns, self.instructions)),
            spec={"packing": self.gemm.spec},
        )

    def assembled(self, function: str) -> Assembled:
        params: Params = {
            **prefixed("window", window_params(self.op)),
            **prefixed("gemm", self.gemm.params(function)),
            "operand_bytes": self.gemm.operand_bytes,
            "patch_bytes": self._patch_bytes,
            "zero_bytes": self._zero_bytes,
            "expand_inner": self.inner.name if self.inner else 0,
            "expand_any": self.anywhere.name,
        }
        return Assembled(params, self.gemm.constants(function), self.routines)

    def instructions(self, pixels: int) -> float:
        """Of pixels that follow each other, without what each row takes. Blocks go on across rows."""
        inner = inner_columns(self.op) if self.inner else range(0)
        blocks = blocks_of(inner, self.op.y.image.columns, pixels)
        left = pixels - PIXELS * (blocks.inner + blocks.others)
        found = self.gemm.instructions(pixels if left < 2 or pixels > PIXELS else PIXELS)
        found += self._other_block * (blocks.others + (left > 0))
        return found + (self._inner_block(self.inner) * blocks.inner if self.inner else 0)

    def _inner_block(self, expand: Routine) -> int:
        """Beside the product."""
        return executed(expand.function.lines) + PER_INNER_BLOCK + self.op.kernel.rows * PER_INNER_ROW

    @property
    def _other_block(self) -> int:
        seen = PIXELS * (PER_SEEN_PIXEL + self.op.kernel.rows * PER_SEEN_ROW)
        return executed(self.anywhere.function.lines) + PER_OTHER_BLOCK + seen

    @property
    def _row_instructions(self) -> float:
        """To enter an output row, and to gather the windows with a border."""
        op, borders = self.op, self.op.y.image.columns - len(inner_columns(self.op))
        tap = PER_GATHERED_TAP + PER_COPY * sum(divmod(op.x.pixel_bytes, 4))
        return PER_OUTPUT_ROW + borders * op.kernel.rows * (PER_GATHERED_ROW + op.kernel.columns * tap)

    @property
    def _patch_bytes(self) -> int:
        """A window, or the outputs of a pixel."""
        return max(self.op.kernel.rows * self.op.kernel.columns * self.op.x.pixel_bytes, self.gemm.pixel_bytes)

    @property
    def _zero_bytes(self) -> int:
        """What a pixel sees of one row, or four neighbours together."""
        steps = (PIXELS - 1) * self.op.stride.columns if self.inner else 0
        return (steps + self.op.kernel.columns) * self.op.x.pixel_bytes


def _layers(op: Conv2D, flash_price: int) -> tuple[WindowLayer, ...]:
    if is_pointwise(op) or op.groups != 1 or op.x.dtype is not DType.INT8:
        return ()
    weights = window_of(op).ordered(differences(op).reshape(op.channels, op.depth))
    return tuple(_layer(op, gemm) for gemm in packed_gemms(op, weights, flash_price))


def _layer(op: Conv2D, gemm: Gemm) -> WindowLayer:
    window, pitch, operands = window_of(op), op.stride.columns * op.x.pixel_bytes, Packing(gemm.spec).operands
    near = routine(Expansion(window, operands, pitch)) if has_inner(op) and in_reach(window, pitch) else None
    return WindowLayer(KERNEL, op, gemm, routine(Expansion(window, operands, 0)), near)


LOWERING = Lowering.of_layers(KERNEL, _layers)
