"""Generator of sums over a whole image: AVERAGE_POOL_2D of one window, MEAN and SUM over rows and columns.

    r0 pixels of 8 channels   r1 number of pixels   r2 sums   r3 pixels left   r4 ... r7 halves
    r8 r9 words   r12 pixel   lr end of the channels

SXTAB16 adds two bytes of a word to two halves, which hold 256 of them. Per pixel and 8 channels: 2 LDR,
4 SXTAB16, a step if it is more than an immediate, and of a turn of 4 pixels 3 for the loop: 27 instructions
for 32 values (0.84 each). After at most 256 pixels the halves are added to sums of 32 bits, one SXTAH each.
Sums survive from one part of the image to the next; behind the last, te_dsp_finish makes bytes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...ops.pool2d import AveragePool2D
from ...ops.reduction import ScaledSum
from ...target import Candidate, Form
from ..native.lowering import CALL, Params
from . import isa, lanes
from .function import Function, Routine, specified
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED, LARGEST_OFFSET
from .lowering import Assembled, Lowering
from .sum_finish import finish_of

WORD = 4
TURN = 4  # pixels
LARGEST_STEP = 255  # of a load that steps on
HALVES = ("r4", "r5", "r6", "r7")
SUMS = ("r8", "r9", "r10", "r11")
PER_FINISH, PER_FINISH_TWICE = 9.4, 14.3  # of a channel
PER_GROUP = 27  # instructions of 8 channels, whatever the number of pixels
PER_CALL = 60  # of the driver and the routine


def sums_kernel(channels: int) -> Function:
    """void add(const int8_t *x, int32_t pixels, int32_t *sums): at most 256 pixels"""
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"])]
    wide, rest = divmod(channels, 2 * WORD)
    if wide:
        group = Label(1)
        lines += [*isa.constant("lr", wide * 2 * WORD), isa.add_register("lr", "lr", "r0"), group]
        lines += [*_group(channels, 2), isa.cmp("r0", "lr"), isa.bne_back(group)]
    if rest >= WORD:
        lines += _group(channels, 1)
    for _ in range(rest % WORD):
        lines += _single(channels)
    lines.append(isa.pop_return(CALLEE_SAVED))
    return specified(
        f"te_pool_sums_c{channels}", f"sums of pixels of {channels} channels", lines, arguments=3, generator=__doc__
    )


def _group(channels: int, words: int) -> Iterator[Line]:
    """Sums of 4 or 8 channels."""
    halves = HALVES[: 2 * words]
    yield isa.move("r12", "r0")
    for half in halves:
        yield from isa.constant(half, 0)
    yield from _pixels([list(_pixel(channels, words)) for _ in range(TURN)])
    for pair in range(words):
        yield from _flush(*halves[2 * pair : 2 * pair + 2])
    yield isa.add("r0", "r0", words * WORD)


def _pixels(pixels: Sequence[Sequence[Instr]]) -> Iterator[Line]:
    """Turns of some, and what is left one by one."""
    turn, left, single, end = (Label(number) for number in (2, 3, 4, 5))
    yield isa.sub("r3", "r1", TURN)
    yield from (isa.cmp_value("r3", 0), isa.branch("lt", left, forward=True))
    yield turn
    for pixel in pixels:
        yield from pixel
    yield from (isa.sub_flags("r3", "r3", TURN), isa.branch("ge", turn))
    yield left
    yield from (isa.add("r3", "r3", TURN), isa.cmp_value("r3", 0), isa.branch("eq", end, forward=True))
    yield single
    yield from (*pixels[0], isa.sub_flags("r3", "r3", 1), isa.branch("ne", single))
    yield end


def _pixel(channels: int, words: int) -> Iterator[Instr]:
    if words == 2:
        yield isa.ldr("r9", "r12", WORD)
    yield from _step("r8", channels)
    for word, register in enumerate(("r8", "r9")[:words]):
        for odd in (0, 1):
            half = HALVES[2 * word + odd]
            yield isa.sxtab16(half, half, register, 8 * odd)


def _step(register: str, channels: int) -> Iterator[Instr]:
    """Load a word and go to the next pixel."""
    if channels <= LARGEST_STEP:
        yield isa.ldr_next(register, "r12", channels)
    else:
        yield from (isa.ldr(register, "r12"), isa.add("r12", "r12", channels))


def _flush(even: str, odd: str) -> Iterator[Instr]:
    """To the sums of four channels."""
    yield isa.ldm("r2", SUMS)
    for i, acc in enumerate(SUMS):
        yield lanes.sxtah(acc, acc, odd if i % 2 else even, top=i >= 2)
    yield isa.stm_next("r2", SUMS)


def _single(channels: int) -> Iterator[Line]:
    """One channel, byte by byte."""
    turn = Label(2)
    yield from (isa.move("r12", "r0"), isa.move("r3", "r1"), isa.ldr("r4", "r2"))
    yield turn
    yield from (isa.ldrsb("r8", "r12"), isa.add("r12", "r12", channels), isa.add_register("r4", "r4", "r8"))
    yield from (isa.sub_flags("r3", "r3", 1), isa.branch("ne", turn))
    yield from (isa.str_next("r4", "r2"), isa.add("r0", "r0", 1))


def sums_routine(channels: int) -> Routine:
    parameters = ("const int8_t *x", "int32_t pixels", "int32_t *sums")
    return Routine(sums_kernel(channels), parameters, "te_pool_sums_twin", (channels,), "te_pool_sums.h")


# --- the operator -------------------------------------------------------------------------------------------


def candidates(op: AveragePool2D | ScaledSum) -> tuple[Candidate, ...]:
    finish, image = finish_of(op), op.x.image
    if finish is None or image.channels > LARGEST_OFFSET:
        return ()
    call = PER_CALL + _sum_instructions(image.channels, 0)
    work = PER_CALL + _sum_instructions(image.channels, image.rows * image.columns)
    return (
        Candidate(
            backend="armv7em",
            kernel="te_pool_sums",
            form=Form.SINK,
            scratch_bytes=4 * image.channels,
            code_bytes=sums_kernel(image.channels).code_bytes,
            instructions=round(work + image.channels * (PER_FINISH_TWICE if finish.requant.twice else PER_FINISH)),
            call_instructions=CALL + call,
        ),
    )


def _sum_instructions(channels: int, pixels: int) -> int:
    """Executed for so many neighbours."""
    wide, rest = divmod(channels, 2 * WORD)
    step, narrow = channels > LARGEST_STEP, rest // WORD
    loop = 2 * (pixels // TURN + pixels % TURN)
    work = wide * (pixels * (6 + step) + loop) + narrow * (pixels * (3 + step) + loop)
    return work + (wide + narrow) * PER_GROUP + rest % WORD * 5 * (pixels + 1)


def lower(op: AveragePool2D | ScaledSum, _chosen: Candidate, _function: str) -> Assembled:
    finish = finish_of(op)
    assert finish is not None
    routine = sums_routine(op.x.image.channels)
    params: Params = {"add": routine.name, **finish.params}
    return Assembled(params, (), (routine,))


LOWERING = Lowering.at_any_price("te_pool_sums", candidates, lower)
