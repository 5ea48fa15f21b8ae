"""DEPTHWISE_CONV_2D for Armv7E-M and Armv8-M with DSP: planes of four channels, in place or in strips.

    NHWC  --fill-->  four planes of words, two pixels each  --sums-->  bytes of the same four channels

`fill` takes 1.5 instructions for each value (depthwise_fill.py), `sums` 5 SMLAD or so for 9 taps
(depthwise_pairs.py), or an SMLAL for 4 taps of a wide kernel (depthwise_poly.py): whichever needs fewer
instructions for the shape at hand. Taps that never meet the image are left out: late layers have images that are
smaller than their kernels. A call costs little: channels of a group and rows are loops within a routine.

Weights take a byte each in flash and are unpacked once for each channel and call, unless streams of whole words
save enough instructions for what they take more.

The planes hold what a strip of rows sees. In place, they may hold less than the whole image, too: for each group
of channels they roll down the image, and rows are copied to them before outputs overwrite the pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from ...graph import Array, DType, Rounding
from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...target import Candidate, Form
from ..native.lowering import Params, prefixed
from ..native.packing import Channels
from ..program import ConstantArray
from . import depthwise_rows, isa
from .depthwise_fill import PARAMETERS, Fill, Keep, fill_reaches
from .depthwise_pairs import PairBlocks
from .depthwise_poly import WEIGHTS, PolyBlocks
from .depthwise_rows import Walker, best_walker
from .depthwise_shape import FIELD, TOGETHER, Planes, Sums, Window, planes, window
from .depthwise_stream import Proved, channels_of, for_bytes, for_pairs, for_polynomials, pairs_stream, poly_stream
from .depthwise_unpack import LARGEST_TABLE, Unpacking, fits
from .function import Routine
from .lowering import Assembled, Lowering

KERNEL, HEADER = "te_depthwise_planes", "te_planes.h"
STRIP_ROWS = (4, 2, 1)  # that candidates have room for
NARROWEST_POLY = 5  # columns of taps: narrower kernels are better off with pairs
MOST_WORDS = 8  # of weights in registers
PER_CALL, PER_GROUP, PER_ROLL, PER_BORDER_WORD = 80, 24, 20, 1.6
CHEAP_ENOUGH = 1.02  # times the instructions with planes of all rows


@dataclass(frozen=True)
class Choice:
    """All that is decided for one operator."""

    seen: Window
    planes: Planes
    walker: Walker
    fill: Fill
    proved: Proved

    @property
    def keep(self) -> Keep:
        return Keep(TOGETHER * self.planes.words)

    @property
    def poly(self) -> bool:
        return isinstance(self.walker.blocks, PolyBlocks)

    @property
    def sums(self) -> Sums:
        return self.walker.blocks.sums

    @cached_property
    def code_bytes(self) -> int:
        return self.walker.function().code_bytes + self.fill.function().code_bytes

    @cached_property
    def stream(self) -> Array:
        blocks = self.walker.blocks
        if isinstance(blocks, PairBlocks):
            return pairs_stream(self.proved, self.sums, blocks.unpacking)
        return poly_stream(self.proved, self.sums, blocks.unpacking)

    def seen_rows(self, rows: int) -> int:
        """Of the input, the border included, by so many output rows."""
        return (rows - 1) * self.sums.stride.rows + self.seen.kernel.rows


@lru_cache(maxsize=256)
def choose(op: DepthwiseConv2D, flash_price: int) -> Choice | None:
    """The routines with the fewest instructions, flash counted as what it must save; None where there are none, or
    no proof."""
    found = () if _unsuitable(op) else _choices(op)
    return min(found, key=lambda choice: _price(op, choice, flash_price), default=None)


def _price(op: DepthwiseConv2D, choice: Choice, flash_price: int) -> int:
    return _instructions(op, choice) + flash_price * (choice.stream.nbytes + choice.code_bytes)


def _unsuitable(op: DepthwiseConv2D) -> bool:
    channels, dilated = op.x.image.channels, op.dilation != (1, 1)
    other = op.x.dtype is not DType.INT8 or op.rounding is Rounding.AWAY or op.multiplier != 1 or dilated
    return other or not TOGETHER <= channels <= isa.LARGEST_OFFSET or window(op).is_empty


def _choices(op: DepthwiseConv2D) -> Iterator[Choice]:
    seen = window(op)
    place, channels = planes(op, seen), channels_of(op, seen)
    if not fill_reaches(place.channel_bytes):
        return
    for unpacking, poly, proved in _streams(op, seen, channels):
        walker = _walker(_sums(op, seen, place, proved), proved.after if poly else None, unpacking)
        if walker is not None:
            yield Choice(seen, place, walker, _fill(op, place, poly), proved)


def _streams(op: DepthwiseConv2D, seen: Window, channels: Channels) -> Iterator[tuple[Unpacking | None, bool, Proved]]:
    """Of bytes or not, polynomials or pairs."""
    pairs = for_pairs(op, channels)
    if pairs is not None:
        yield None, False, pairs
    yield from ((unpacking, False, proved) for unpacking, proved in for_bytes(op, channels))
    wide = op.stride.columns == 1 and seen.kernel.columns >= NARROWEST_POLY
    polynomials = for_polynomials(op, channels) if wide else None
    if polynomials is not None:
        yield None, True, polynomials
        if fits(polynomials.weights):
            yield Unpacking.POLY, True, polynomials


def _sums(op: DepthwiseConv2D, seen: Window, place: Planes, proved: Proved) -> Sums:
    requant = proved.scaling.requant
    return Sums(seen.kernel, op.stride, place.start, op.y.image.columns, place.words, op.x.image.channels, requant)


def _fill(op: DepthwiseConv2D, place: Planes, poly: bool) -> Fill:
    zero = op.x.zero_point if poly and place.filled % 2 else 0
    return Fill(poly, place.filled, op.x.image.channels, place.channel_bytes, zero)


@lru_cache(maxsize=1024)
def _walker(sums: Sums, scale: int | None, unpacking: Unpacking | None = None) -> Walker | None:
    """`scale`: of polynomials."""
    walker = _any_walker(sums, scale, unpacking)
    return walker if walker and walker.blocks.table_bytes <= LARGEST_TABLE else None


def _any_walker(sums: Sums, scale: int | None, unpacking: Unpacking | None) -> Walker | None:
    if scale is not None:
        fits = sums.columns > 1 and sums.poly_words <= len(WEIGHTS) and _in_reach(sums, sums.poly_words)
        return best_walker(PolyBlocks(sums, scale, unpacking)) if fits else None
    if sums.row_words > MOST_WORDS or not _in_reach(sums, sums.row_words):
        return None
    blocks = [b for b in (PairBlocks(sums, "lr", unpacking), PairBlocks(sums, None, unpacking)) if b.most]
    found = [walker for b in blocks if (walker := best_walker(b))]
    return min(found, key=lambda w: w.instructions(1, 4, 8), default=None)


def _in_reach(sums: Sums, row_words: int) -> bool:
    """Can LDRD load the last weights of a channel?"""
    return 4 * (4 + sums.kernel.rows * row_words) <= isa.LARGEST_PAIR_OFFSET


def _instructions(op: DepthwiseConv2D, choice: Choice, rows: int | None = None) -> int:
    """All strips of so many rows, or the whole image as one; exact but for the C code around the routines."""
    return round(sum(_strip_instructions(op, choice, n) for n in _strips(op, rows or op.y.image.rows)))


def _strips(op: DepthwiseConv2D, rows: int) -> tuple[int, ...]:
    """How many rows each has."""
    full, left = divmod(op.y.image.rows, max(1, rows))
    return (rows,) * full + ((left,) if left else ())


def _strip_instructions(op: DepthwiseConv2D, choice: Choice, rows: int) -> float:
    groups, filled = _groups(op), min(choice.seen_rows(rows), op.x.image.rows)
    border = _border_instructions(op, choice, choice.seen_rows(rows))
    sums = choice.walker.instructions(groups, op.channels, rows)
    return groups * (PER_GROUP + choice.fill.instructions(filled)) + sums + border + PER_CALL


def _rolling_instructions(op: DepthwiseConv2D, choice: Choice, rows: int) -> int:
    """Of the whole image in so many rows at a time, group after group."""
    groups, strips, height = _groups(op), -(-op.y.image.rows // rows), op.y.image.rows
    kept = max(0, choice.seen.kernel.rows - op.stride.rows)
    outside = max(0, choice.seen_rows(height) - op.x.image.rows)
    calls = strips * (PER_GROUP + PER_ROLL) + choice.fill.instructions(op.x.image.rows, strips)
    calls += choice.keep.instructions(kept) * (strips - 1) if kept else 0
    sums = choice.walker.instructions(groups, op.channels, height, strips)
    return round(groups * (calls + _border_instructions(op, choice, outside)) + sums + PER_CALL)


def _groups(op: DepthwiseConv2D) -> int:
    return -(-op.channels // TOGETHER)


def _border_instructions(op: DepthwiseConv2D, choice: Choice, rows: int) -> float:
    return rows * TOGETHER * choice.planes.words * PER_BORDER_WORD if _border(op, choice) else 0


def _border(op: DepthwiseConv2D, choice: Choice) -> bool:
    place, rows = choice.planes, choice.seen_rows(op.y.image.rows)
    across = 2 * place.words > place.left + place.filled or place.left > 0
    return across or choice.seen.before.rows > 0 or rows - choice.seen.before.rows > op.x.image.rows


def candidates(op: DepthwiseConv2D, flash_price: int) -> tuple[Candidate, ...]:
    choice = choose(op, flash_price)
    if choice is None:
        return ()
    whole = (_whole(op, choice),) if op.y.elements <= op.x.elements else ()
    heights = dict.fromkeys(min(rows, op.y.image.rows) for rows in STRIP_ROWS)
    return (*whole, *(_strip(op, choice, rows) for rows in heights))


def _whole(op: DepthwiseConv2D, choice: Choice) -> Candidate:
    """In place; with planes of a part of the rows, if that costs next to nothing."""
    height, strips = op.y.image.rows, _instructions(op, choice, STRIP_ROWS[0])
    most = min(CHEAP_ENOUGH * _instructions(op, choice), strips)  # strips are not in place
    for rows in range(1, height):
        instructions = _rolling_instructions(op, choice, rows)
        if instructions <= most and _reads_first(op, choice, rows):
            more = choice.keep.function().code_bytes
            plain = _candidate(op, choice, rows, Form.WHOLE)
            return replace(plain, instructions=instructions, code_bytes=plain.code_bytes + more)
    return _candidate(op, choice, height, Form.WHOLE)


def _reads_first(op: DepthwiseConv2D, choice: Choice, rows: int) -> bool:
    """In place, so many rows at a time: has what outputs overwrite been read?"""
    x, y = op.x.image, op.y.image
    for end in range(rows, y.rows, rows):
        read = min(x.rows, (end - 1) * op.stride.rows + choice.seen.kernel.rows - choice.seen.before.rows)
        if end * y.columns > read * x.columns:
            return False
    return True


def _strip(op: DepthwiseConv2D, choice: Choice, rows: int) -> Candidate:
    return _candidate(op, choice, rows, Form.STRIP)


def _candidate(op: DepthwiseConv2D, choice: Choice, rows: int, form: Form) -> Candidate:
    """A strip's output may lie on dead inputs at any distance if each call computes one row.

    Calls for fewer rows than there is room for fill more rows, all in all: counted as if calls were of one row.
    """
    instructions = _instructions(op, choice, rows)
    further = (_instructions(op, choice, 1) - instructions) // max(1, op.y.image.rows)
    return Candidate(
        backend="armv7em",
        kernel=KERNEL,
        form=form,
        strip_rows=rows,
        scratch_bytes=choice.seen_rows(rows) * choice.planes.row_bytes,
        in_place=(0,) if form is Form.WHOLE else (),
        by_channel=(0,) if form is Form.STRIP else (),
        splits_rows=False,
        weight_bytes=4 * choice.stream.size,
        code_bytes=choice.code_bytes,
        instructions=instructions,
        call_instructions=max(0, further),
        spec={"rows": rows, "rolls": int(form is Form.WHOLE and rows < op.y.image.rows)},
    )


def lower(op: DepthwiseConv2D, chosen: Candidate, function: str, flash_price: int) -> Assembled:
    choice = choose(op, flash_price)
    assert choice is not None
    words = choice.stream
    comment = "of each channel: bias, mantissa, addend, weights " + _packing(choice.walker)
    stream = ConstantArray(f"{function}_stream", "uint32_t", words, comment, 8)
    fill, keep, sums = fill_routine(choice.fill), keep_routine(choice.keep), sums_routine(choice.walker)
    rolls = int(chosen.spec["rolls"])
    zero = op.x.zero_point
    requant = dict(zip(("kind", "before", "shift", "low", "high"), choice.sums.requant.twin_numbers, strict=True))
    params: Params = {
        **prefixed("planes", dict(_plane_numbers(choice.walker))),
        **prefixed("requant", requant),
        "stride_rows": op.stride.rows,
        "pad_top": choice.seen.before.rows,
        "left": choice.planes.left,
        "columns": choice.planes.filled,
        "channels": op.channels,
        "rows": int(chosen.spec["rows"]),
        "rolls": rolls,
        "border": int(_border(op, choice)),
        "border_word": (zero + (zero << FIELD) if choice.poly else (zero & 0xFFFF) * 0x10001) & 0xFFFFFFFF,
        "stream": stream.name,
        "stream_words": choice.walker.blocks.channel_words,
        "fill": fill.name,
        "keep": keep.name if rolls else "NULL",
        "sums": sums.name,
    }
    return Assembled(params, (stream,), (fill, *((keep,) if rolls else ()), sums))


LOWERING = Lowering(KERNEL, candidates, lower)


def _packing(walker: Walker) -> str:
    unpacking = walker.blocks.unpacking
    return "in bytes" if unpacking else "in polynomials" if isinstance(walker.blocks, PolyBlocks) else "in pairs"


def fill_routine(fill: Fill) -> Routine:
    numbers = (int(fill.poly), fill.columns, fill.pixel_bytes, fill.channel_bytes // 4, fill.zero)
    return Routine(fill.function(), PARAMETERS, "te_planes_fill_twin", numbers, HEADER)


def keep_routine(keep: Keep) -> Routine:
    parameters = ("uint32_t *to", "const uint32_t *from", "int32_t rows")
    return Routine(keep.function(), parameters, "te_planes_keep_twin", (keep.words,), HEADER)


def sums_routine(walker: Walker) -> Routine:
    p, sums = dict(_plane_numbers(walker)), walker.blocks.sums
    shape = ("poly", "kernel_rows", "kernel_cols")
    rest = ("stride_cols", "start", "both", "scale", "channel_words")
    numbers = (
        *(p[name] for name in shape),
        sums.stride.rows,
        *(p[name] for name in rest),
        sums.columns,
        sums.pixel_bytes,
        p["before"],
        walker.blocks.channel_words,
        p["packed"],
        *sums.requant.twin_numbers,
    )
    return Routine(walker.function(), depthwise_rows.PARAMETERS, "te_planes_sums_twin", numbers, HEADER)


def _plane_numbers(walker: Walker) -> Iterator[tuple[str, int]]:
    """Members of te_planes_t."""
    sums, blocks = walker.blocks.sums, walker.blocks
    poly = isinstance(blocks, PolyBlocks)
    yield from (("poly", int(poly)), ("kernel_rows", sums.kernel.rows), ("kernel_cols", sums.kernel.columns))
    yield from (("stride_cols", sums.stride.columns), ("start", sums.start), ("both", int(sums.both)))
    unpacked = blocks.unpacking.scale if blocks.unpacking else 0
    scale = blocks.scale if isinstance(blocks, PolyBlocks) else unpacked
    yield from (("scale", scale), ("channel_words", sums.words), ("row_words", TOGETHER * sums.words))
    header = 1 + sums.requant.words
    yield ("before", blocks.unpacking.stream_header(header) if blocks.unpacking else header)
    yield ("packed", int(blocks.unpacking is not None))
