"""Generator of AVERAGE_POOL_2D and MAX_POOL_2D: windows inside the image, four channels at a time.

    r0 r4 ... rows of the window   r1 output   r2 pixels left   r3 words left
    largest value    r11 word   r12 largest bytes   lr differences   r9 r10 bounds, if there are any
    average          r11 word   r12 lr halves        r9 r10 factor, addend

A row's taps lie at fixed distances from its pointer; the first one is loaded last and steps on. Per word
of 4 channels and tap: LDR and SSUB8, SEL or two SXTAB16, which is 0.75 for each value and tap. Behind them
one STR; or for each value SMLAW, SSAT, STRB (sum_form.py). Windows that reach over the border, or over the
end of a ring, are left to C; but for a largest value, rows beyond the border are others once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...graph import Clamp, DType
from ...ops.pool2d import AveragePool2D, MaxPool2D, Pool2D
from ...target import Candidate
from ..native import pool2d
from ..native.lowering import CALL, Params, prefixed
from ..program import ConstantArray
from . import isa, lanes
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED, LARGEST_OFFSET
from .lowering import Assembled, Lowering
from .pairs import bounded, clamp_stem
from .requant import INT8
from .sum_finish import HALF_COUNT, Finish, average_finish

WORD = 4
ROWS = ("r0", "r4", "r5", "r6", "r7", "r8")
CONSTANTS = ("r9", "r10")  # factor and addend, or both bounds in all bytes
LOADED, FIRST, SECOND = "r11", "r12", "lr"
EVERY_BYTE = 0x01010101
PER_ROW, PER_WINDOW_ROW = 50, 30  # of C: what surrounds a row of outputs
PER_PIXEL = 110  # and an output that C computes
AVERAGE_BY_C, MAX_BY_C = (2.75, 17.5), (6.75, 9.5)  # of that, for each tap and for each value


@dataclass(frozen=True)
class Windows:
    """What a kernel is generated for; `shift` is that of an average."""

    channels: int
    rows: int
    columns: int
    stride: int  # from column to column
    clamp: Clamp
    shift: int | None

    @property
    def stem(self) -> str:
        kind = "max" if self.shift is None else f"average_s{self.shift}"
        window = f"{self.rows}x{self.columns}_by{self.stride}"
        return f"te_pool_{kind}_{window}_c{self.channels}{clamp_stem(self.clamp)}"

    @property
    def step(self) -> int:
        """Bytes from the end of one pixel's channels to the next window."""
        return (self.stride - 1) * self.channels


def windows_kernel(shape: Windows) -> Function:
    """void pool(const int8_t *const *rows, int8_t *y, int32_t pixels, const int32_t *constants)"""
    pixel, word = Label(1), Label(2)
    words, rest = divmod(shape.channels, WORD)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), isa.ldm("r3", CONSTANTS)]
    lines += [isa.ldr(row, "r0", WORD * i) for i, row in reversed(list(enumerate(ROWS[: shape.rows])))]
    lines += [pixel, *isa.constant("r3", words), word, *_word(shape), isa.sub_flags("r3", "r3", 1), isa.bne_back(word)]
    if rest:  # the last word once more reaches back into the one before
        lines += [isa.sub(pointer, pointer, WORD - rest) for pointer in (*ROWS[: shape.rows], "r1")]
        lines += _word(shape)
    if shape.step:
        lines += [isa.add(row, row, shape.step) for row in ROWS[: shape.rows]]
    lines += [isa.sub_flags("r2", "r2", 1), isa.bne_back(pixel), isa.pop_return(CALLEE_SAVED)]
    purpose = f"{shape.rows} x {shape.columns} windows of {shape.channels} channels"
    return specified(shape.stem, purpose, lines, arguments=4, generator=__doc__)


def _word(shape: Windows) -> Iterator[Instr]:
    """Four channels of one output."""
    first = True
    for row in ROWS[: shape.rows]:
        for column in reversed(range(shape.columns)):
            at = column * shape.channels
            register = FIRST if first and shape.shift is None else LOADED
            yield isa.ldr(register, row, at) if at else isa.ldr_next(register, row)
            yield from _larger(first) if shape.shift is None else _added(first)
            first = False
    yield from _largest(shape.clamp) if shape.shift is None else _average(shape.shift, shape.clamp)


def _larger(first: bool) -> Iterator[Instr]:
    if not first:
        yield from (lanes.ssub8(SECOND, FIRST, LOADED), lanes.sel(FIRST, FIRST, LOADED))


def _added(first: bool) -> Iterator[Instr]:
    for odd, half in enumerate((FIRST, SECOND)):
        yield isa.sxtb16(half, LOADED, 8 * odd) if first else isa.sxtab16(half, half, LOADED, 8 * odd)


def _largest(clamp: Clamp) -> Iterator[Instr]:
    low, high = CONSTANTS
    if clamp.low > INT8.low:
        yield from (lanes.ssub8(LOADED, FIRST, low), lanes.sel(FIRST, FIRST, low))
    if clamp.high < INT8.high:
        yield from (lanes.ssub8(LOADED, FIRST, high), lanes.sel(FIRST, high, FIRST))
    yield isa.str_next(FIRST, "r1")


def _average(shift: int, clamp: Clamp) -> Iterator[Instr]:
    factor, addend = CONSTANTS
    for half, register in (("b", FIRST), ("b", SECOND), ("t", FIRST), ("t", SECOND)):
        yield isa.smlaw(half, LOADED, factor, register, addend)
        yield from bounded([LOADED], shift, clamp)
        yield isa.strb_next(LOADED, "r1")


def windows_routine(shape: Windows) -> Routine:
    parameters = ("const int8_t *const *rows", "int8_t *y", "int32_t pixels", "const int32_t *constants")
    sizes = (shape.channels, shape.rows, shape.columns, shape.stride)
    shift = -1 if shape.shift is None else shape.shift
    return Routine(
        windows_kernel(shape), parameters, "te_pool_windows_twin", (*sizes, shift, *shape.clamp), "te_pool_windows.h"
    )


# --- the operators -------------------------------------------------------------------------------------------


def _finish(op: Pool2D) -> Finish | None:
    """Of an average."""
    if not isinstance(op, AveragePool2D) or op.kernel.rows * op.kernel.columns > HALF_COUNT:
        return None
    return average_finish(op.kernel.rows * op.kernel.columns, op.ties_up, op.clamp)


def _found(op: Pool2D) -> tuple[Windows, Sequence[int]] | None:
    """And the constants of the routine."""
    channels, kernel = op.x.image.channels, op.kernel
    if kernel.columns not in _seen(*_across(op)):
        return None
    farthest = max(kernel.columns, op.stride.columns) * channels
    if op.x.dtype is not DType.INT8 or channels < WORD or farthest > LARGEST_OFFSET or kernel.rows > len(ROWS):
        return None
    sizes = (channels, kernel.rows, kernel.columns, op.stride.columns, op.clamp)
    if isinstance(op, MaxPool2D):
        return Windows(*sizes, None), [EVERY_BYTE * (bound & 0xFF) for bound in op.clamp]
    finish = _finish(op)
    return (Windows(*sizes, finish.requant.shift), (finish.factor, finish.addend)) if finish else None


def candidates(op: Pool2D) -> tuple[Candidate, ...]:
    found = _found(op)
    if found is None:
        return ()
    shape = found[0]
    row = PER_ROW + op.kernel.rows * PER_WINDOW_ROW
    return (
        Candidate(
            backend="armv7em",
            kernel="te_pool_windows",
            weight_bytes=8,
            code_bytes=windows_kernel(shape).code_bytes,
            instructions=round(_instructions(op, shape) + op.y.image.rows * row),
            call_instructions=CALL,
            part_instructions=row,
        ),
    )


def _pixel_instructions(shape: Windows) -> int:
    """Executed for one output inside."""
    words = -(-shape.channels // WORD)
    word = sum(instr.count for instr in _word(shape)) + 2
    again = shape.rows + 1 if shape.channels % WORD else 0
    return words * word + again + (shape.rows if shape.step else 0) + 3


def _instructions(op: Pool2D, shape: Windows) -> float:
    """Of all outputs: those by assembly, and those by C."""
    x, y, kernel = op.x.image, op.y.image, op.kernel
    down = _seen(x.rows, y.rows, kernel.rows, op.stride.rows, op.padding.top)
    across = _seen(*_across(op))
    full_rows = y.rows if shape.shift is None else down.count(kernel.rows)
    inside, taps = full_rows * across.count(kernel.columns), sum(down) * sum(across)
    outside = y.rows * y.columns - inside
    per_tap, per_value = MAX_BY_C if shape.shift is None else AVERAGE_BY_C
    by_c = max(taps - inside * kernel.rows * kernel.columns, outside) * per_tap + outside * per_value
    return inside * _pixel_instructions(shape) + outside * PER_PIXEL + by_c * y.channels


def _across(op: Pool2D) -> tuple[int, int, int, int, int]:
    return op.x.image.columns, op.y.image.columns, op.kernel.columns, op.stride.columns, op.padding.left


def _seen(size: int, count: int, kernel: int, stride: int, before: int) -> list[int]:
    """Rows, or columns, of each window that lie in the image."""
    starts = (i * stride - before for i in range(count))
    return [min(start + kernel, size) - max(start, 0) for start in starts]


def lower(op: Pool2D, chosen: Candidate, function: str) -> Assembled:
    found = _found(op)
    assert found is not None
    shape, numbers = found
    values = (np.array(numbers, np.int64) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    table = ConstantArray(f"{function}_constants", "int32_t", values, "what the routine keeps in registers")
    routine = windows_routine(shape)
    params: Params = {
        "largest": int(shape.shift is None),
        "pool": routine.name,
        "constants": table.name,
        **prefixed("window", pool2d.lower(op, chosen, function).params),
    }
    return Assembled(params, (table,), (routine,))


LOWERING = Lowering.at_any_price("te_pool_windows", candidates, lower)
