"""Generator of operators on two tensors, 8 bytes a turn; what differs between operators is a `PairCode`.

    r0 a   r1 b   r2 output   r3 bytes left   r4 r5 r6 lr constants of the operator   r7 ... r12 free

All pointers may be unaligned: words are loaded alone, bytes stored. An operand may be one value for all
bytes (`fixed`, the second one). The output may lie on either operand: a word is read before it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Protocol

import numpy as np

from ...graph import Clamp, DType, ImageShape, Tensor
from ...ops.broadcast import BroadcastOp, image_shape
from ...target import Candidate
from ..native.broadcast import are_images, in_place, is_walkable, operands
from ..native.lowering import CALL, PART, Params, prefixed
from ..native.pair import is_table, step_params
from ..program import ConstantArray
from . import isa
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED
from .lowering import Assembled, Lowering

WORD = 4  # bytes
WORDS = 2  # of a turn
CONSTANTS = ("r4", "r5", "r6", "lr")
FIRST, SECOND = "r7", "r8"  # a word, or a value, of each operand
CONSTANTS_ARGUMENT = 4 * (len(CALLEE_SAVED) + 1)  # the fifth, above what is pushed
KERNELS = ("te_pair_words", "te_pair_words_constant", "te_pair_words_image")
LOOP = 2  # instructions of a turn, beside its words
REPEATED = 96  # bytes of a pixel that is repeated, about
PER_COPIED = 1  # byte of those
PER_RUN = 26  # of a call of the routine, and what surrounds it


class PairCode(Protocol):
    """Instructions of one operator."""

    @property
    def stem(self) -> str: ...

    @property
    def twin(self) -> tuple[str, str]:
        """A C function and its header: of (a, b, y, count, constants, fixed, numbers...)."""

    @property
    def twin_numbers(self) -> tuple[int, ...]: ...

    def fixed_operand(self) -> Iterator[Instr]:
        """What the value in `SECOND` changes in the constants."""

    def word(self, fixed: bool) -> Iterator[Instr]:
        """Four values in the words FIRST and SECOND, to `stores` of them."""

    def byte(self, fixed: bool) -> Iterator[Instr]:
        """One value, of the values FIRST and SECOND, to FIRST."""


def stores(results: Sequence[str]) -> Iterator[Instr]:
    """Four bytes; the output pointer steps on."""
    yield isa.strb_next(results[0], "r2", WORD)
    for i, register in enumerate(results[1:], 1):
        yield isa.strb(register, "r2", i - WORD)


def bounded(accumulators: Sequence[str], shift: int, clamp: Clamp) -> Iterator[Instr]:
    """Saturated to bytes, and to the bounds of a fused activation."""
    yield from (isa.ssat8(acc, acc, shift) for acc in accumulators)
    for acc in accumulators:
        if clamp.low > -128:
            yield from (isa.cmp_value(acc, clamp.low), isa.move_if("lt", acc, clamp.low))
        if clamp.high < 127:
            yield from (isa.cmp_value(acc, clamp.high), isa.move_if("gt", acc, clamp.high))


def clamp_stem(clamp: Clamp) -> str:
    return "" if clamp == (-128, 127) else f"_{clamp.low}_{clamp.high}".replace("-", "m")


def pair_kernel(code: PairCode, fixed: bool) -> Function:
    """void run(const int8_t *a, const int8_t *b, int8_t *y, int32_t count, const int32_t *constants)"""
    turn, word, byte, rest, end = (Label(number) for number in range(1, 6))
    lines: list[Line] = [
        isa.push([*CALLEE_SAVED, "lr"]),
        isa.ldr("r4", "sp", CONSTANTS_ARGUMENT),
        isa.ldm("r4", CONSTANTS),
        *((isa.ldrsb(SECOND, "r1"), *code.fixed_operand()) if fixed else ()),
        isa.sub_flags("r3", "r3", WORDS * WORD),
        isa.branch("lt", word, forward=True),
        turn,
        *chain.from_iterable(_word(code, fixed) for _ in range(WORDS)),
        isa.sub_flags("r3", "r3", WORDS * WORD),
        isa.branch("ge", turn),
        word,
        isa.add("r3", "r3", WORDS * WORD),
        isa.cmp_value("r3", WORD),
        isa.branch("lt", rest, forward=True),
        *_word(code, fixed),
        isa.sub("r3", "r3", WORD),
        rest,
        isa.cmp_value("r3", 0),
        isa.branch("eq", end, forward=True),
        byte,
        *_byte(code, fixed),
        isa.sub_flags("r3", "r3", 1),
        isa.branch("ne", byte),
        end,
        isa.pop_return(CALLEE_SAVED),
    ]
    stem = code.stem + ("_fixed" if fixed else "")
    purpose = "one byte of one byte and a fixed value" if fixed else "one byte of two"
    return specified(stem, purpose, lines, arguments=4, generator=__doc__)


def _word(code: PairCode, fixed: bool) -> Iterator[Instr]:
    yield isa.ldr_next(FIRST, "r0")
    if not fixed:
        yield isa.ldr_next(SECOND, "r1")
    yield from code.word(fixed)


def _byte(code: PairCode, fixed: bool) -> Iterator[Instr]:
    yield isa.ldrsb_next(FIRST, "r0")
    if not fixed:
        yield isa.ldrsb_next(SECOND, "r1")
    yield from code.byte(fixed)
    yield isa.strb_next(FIRST, "r2")


def pair_routine(code: PairCode, fixed: bool) -> Routine:
    parameters = (
        "const int8_t *a",
        "const int8_t *b",
        "int8_t *y",
        "int32_t count",
        "const int32_t *constants",
    )
    twin, header = code.twin
    return Routine(pair_kernel(code, fixed), parameters, twin, (int(fixed), *code.twin_numbers), header)


# --- how operands are walked ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Walk:
    """What repeats, and which kernel knows that."""

    kernel: str
    fixed: bool  # is one operand one value for all channels?
    swapped: bool  # is that the first one?
    repeats: int  # copies of one pixel that lie one behind the other, so that a call has more to do
    runs: int  # calls of the routine


def walk_of(op: BroadcastOp) -> Walk | None:
    """None if this takes a kernel of another kind."""
    if op.x.dtype is not DType.INT8 or not is_walkable(op) or is_table(op) or not are_images(op):
        return None
    a, b = (_image(tensor, op) for tensor in operands(op))
    y = op.y.image
    if max(a.channels, b.channels) < y.channels:
        return None
    fixed, swapped = min(a.channels, b.channels) < y.channels, a.channels < y.channels
    constant = operands(op).b.is_constant
    if not op.broadcasts:
        return Walk("te_pair_words_constant" if constant else "te_pair_words", fixed, swapped, 1, 1)
    along, repeats = not fixed and a.columns == b.columns, 1
    if not (fixed or along) and not (constant and a.columns < y.columns):
        repeats = min(y.columns, max(1, REPEATED // y.channels))
    runs = y.rows * (1 if along else -(-y.columns // repeats))
    return Walk("te_pair_words_constant" if constant else "te_pair_words_image", fixed, swapped, repeats, runs)


def _image(tensor: Tensor, op: BroadcastOp) -> ImageShape:
    image = image_shape(tensor, op.y)
    assert image is not None
    return image


def in_order(op: BroadcastOp, walk: Walk, of_x: int, of_b: int) -> tuple[int, int]:
    """What belongs to the operands, as the routine takes them: a constant second, what is fixed second."""
    return (of_b, of_x) if op.x.is_constant != walk.swapped else (of_x, of_b)


def pair_candidate(op: BroadcastOp, walk: Walk, code: PairCode) -> Candidate:
    b = operands(op).b
    copied = 0 if b.is_constant or walk.repeats == 1 else walk.repeats * op.y.image.channels
    word = sum(instr.count for instr in _word(code, walk.fixed))
    work = op.y.elements * (word + LOOP / WORDS) / WORD
    work += walk.runs * PER_RUN + copied * PER_COPIED * _times_copied(op)
    return Candidate(
        backend="armv7em",
        kernel=walk.kernel,
        in_place=in_place(op),
        scratch_bytes=copied,
        weight_bytes=4 * len(CONSTANTS) + (walk.repeats * b.nbytes if b.is_constant else 0),
        code_bytes=pair_kernel(code, walk.fixed).code_bytes,
        instructions=round(work),
        call_instructions=CALL,
        part_instructions=PART + word,
    )


def _times_copied(op: BroadcastOp) -> int:
    """Once for each row that the operand of one column has."""
    return min((_image(t, op).rows for t in operands(op) if _image(t, op).columns < op.y.image.columns), default=0)


def pair_lowered(op: BroadcastOp, walk: Walk, code: PairCode, constants: Sequence[int], function: str) -> Assembled:
    """`constants` go to the registers of that name."""
    routine = pair_routine(code, walk.fixed)
    values = (np.array(constants, np.int64) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    table = ConstantArray(f"{function}_factors", "int32_t", values, "what the routine keeps in registers")
    pair: Params = {"run": routine.name, "constants": table.name}
    if walk.kernel == "te_pair_words":
        return Assembled(pair, (table,), (routine,))
    params: Params = {"repeats": walk.repeats, **prefixed("pair", pair)}
    b = operands(op).b
    if not b.is_constant:
        return Assembled(params, (table,), (routine,))
    assert b.data is not None
    pixels = b.data.reshape(-1, op.y.image.channels if walk.repeats > 1 else 1)
    copies = np.tile(pixels, (1, walk.repeats)).reshape(-1)
    operand = ConstantArray(f"{function}_constant", "int8_t", copies, "the constant operand")
    steps = step_params(b, op.y)
    params = {
        "constant": operand.name,
        "row_step": steps["row_step"] * walk.repeats,
        "column_step": steps["column_step"],
        **params,
    }
    return Assembled(params, (operand, table), (routine,))


Found = tuple[Walk, PairCode, Sequence[int]]  # and the constants of the routine


def pair_lowerings(find: Callable[[Any], Found | None]) -> tuple[Lowering, ...]:
    """One for each way to walk; `find` tells how an operator is computed, if its proof succeeds."""
    lower = partial(_lower, find)
    return tuple(Lowering.at_any_price(kernel, partial(_candidates, find, kernel), lower) for kernel in KERNELS)


def _candidates(find: Callable[[Any], Found | None], kernel: str, op: BroadcastOp) -> tuple[Candidate, ...]:
    found = find(op)
    if found is None or found[0].kernel != kernel:
        return ()
    return (pair_candidate(op, found[0], found[1]),)


def _lower(find: Callable[[Any], Found | None], op: BroadcastOp, _chosen: Candidate, function: str) -> Assembled:
    found = find(op)
    assert found is not None
    return pair_lowered(op, *found, function)
