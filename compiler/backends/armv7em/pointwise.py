"""Generator of 1x1 convolutions for Armv7E-M and Armv8-M with DSP (M4, M7, M33).

Register block: 2 output channels x 4 pixels.

    r0 operands   r1 weight stream   r2 r3 weights   r12 lr activations   r4 ... r11 accumulators
                                                                          [channel 0: r4 r6 r8 r10]
                                                                          [channel 1: r5 r7 r9 r11]
Packing x256 holds four weights in one word, two to a half, as 256 * w_low + w_high. With activations
expanded once to A = x_low - 127 and B = 256 * x_high + 127 - x_low,

    smlad(W, A) + smlad(sxtb16(W), B) = 256 * (w . x) - constant

so that four products of two channels cost one unpacking instruction each instead of two. Accumulators
arrive times 256, which requantisation takes for free. Per 4 inputs, 2 channels and 4 pixels: 16 SMLAD,
2 SXTB16, 5 LDRD = 23 instructions for 32 products (0.72 each).

Requantisation is exact double rounding, with C = (1 << n-1) + (zero point << n) for a right shift n:
    linear        a = 2 * acc      ssat8((smmlar(a, m, C - (acc < 0))) >> n)
    after a ReLU  a = 256 * acc    ssat8(smmla(a, m, 64 + (C << 7)) >> n + 7)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...ops.conv2d import Conv2D
from ...target import Candidate, Form
from ..native.lowering import CALL, PART, Params
from ..program import ConstantArray
from . import isa, packing
from .function import Function, Routine, specified
from .instr import Label, Line
from .isa import CALLEE_SAVED
from .lowering import Assembled, Lowering

PIXELS = 4  # of one call of the kernels
ALONE = 0.65  # of a block's instructions, for a pixel without neighbours

ACCUMULATORS = (("r4", "r6", "r8", "r10"), ("r5", "r7", "r9", "r11"))
WEIGHTS = ("r2", "r3")
OPERANDS = ("r12", "lr")
LARGEST_UNROLLED = 26  # groups of four inputs; offsets would allow 32, but code grows and gains little
LOOP_GROUPS = 4  # per turn of a loop
GROUP_OPERAND_BYTES = 32  # 4 inputs of 4 pixels, 16 bits each
GROUP_STREAM_BYTES = 8  # 4 weights of 2 channels
OPERANDS_SLOT, OUT_SLOT, STREAM_END_SLOT, OPERANDS_END_SLOT = 0, 4, 8, 12  # on the stack


@dataclass(frozen=True)
class PointwiseShape:
    """What a kernel is generated for."""

    inputs: int  # channels in, a multiple of 4
    outputs: int  # channels out, even
    relu: bool  # clamped from below at the zero point -128: rounding of negatives cannot matter

    @property
    def groups(self) -> int:
        return self.inputs // 4

    @property
    def stem(self) -> str:
        return f"te_pw_x256_k{self.inputs}_c{self.outputs}{'_relu' if self.relu else ''}"


def block_kernel(shape: PointwiseShape) -> Function:
    """void block(const int32_t *operands, const uint32_t *stream, int8_t *out, const uint32_t *stream_end)"""
    lines: list[Line] = [
        isa.push([*CALLEE_SAVED, "lr"]),
        isa.grow_stack(16),
        isa.strd("r2", "r3", "sp", OUT_SLOT),
        isa.str_("r0", "sp", OPERANDS_SLOT),
    ]
    if shape.groups > LARGEST_UNROLLED:
        lines += isa.constant("r12", shape.groups * GROUP_OPERAND_BYTES)
        lines += [isa.add_register("r12", "r12", "r0"), isa.str_("r12", "sp", OPERANDS_END_SLOT)]
    pair = Label(1)
    lines += [pair, isa.ldrd_next("r10", "r11", "r1"), *_dot_products(shape), isa.ldr("r0", "sp", OUT_SLOT)]
    for channel in (0, 1):
        lines += [isa.ldm_next("r1", ("r2", "r3", "r12")), *_requantise(shape, channel)]
    lines += [
        isa.ldr("lr", "sp", STREAM_END_SLOT),
        isa.add("r0", "r0", 2),
        isa.str_("r0", "sp", OUT_SLOT),
        isa.ldr("r0", "sp", OPERANDS_SLOT),
        isa.cmp("r1", "lr"),
        isa.bne_back(pair),
        isa.shrink_stack(16),
        isa.pop_return(CALLEE_SAVED),
    ]
    purpose = f"1x1 convolution, {shape.inputs} -> {shape.outputs} channels of 4 pixels"
    return specified(shape.stem, purpose, lines, arguments=4)


def expand_kernel(inputs: int) -> Function:
    """void expand(const int8_t *pixels, int32_t *operands): 4 neighbouring pixels to 16-bit operands."""
    per_turn = 2 if inputs % 8 == 0 else 1
    raw, low = ("r6", "r7", "r8", "r9"), ("r2", "r3", "r4", "r5")
    turn = Label(1)
    lines: list[Line] = [isa.push([*CALLEE_SAVED, "lr"]), isa.add("lr", "r0", inputs), *isa.constant("r12", 0xFF81FF81)]
    lines.append(turn)
    for group in range(per_turn):
        lines += [isa.ldr(raw[p], "r0", p * inputs + 4 * group) for p in range(4)]
        for p in range(4):
            lines += [isa.sxtab16(low[p], "r12", raw[p]), isa.eor_pattern(raw[p], raw[p], 0x007F007F)]
        lines.append(isa.stm_next("r1", (*low, *raw)))
    lines += [isa.add("r0", "r0", 4 * per_turn), isa.cmp("r0", "lr"), isa.bne_back(turn), isa.pop_return(CALLEE_SAVED)]
    return specified(f"te_expand4_x256_k{inputs}", f"operands of 4 pixels of {inputs} channels", lines, arguments=2)


def _dot_products(shape: PointwiseShape) -> Iterator[Line]:
    if shape.groups <= LARGEST_UNROLLED:
        for group in range(shape.groups):
            yield from _group(first=group == 0, group=group)
        yield isa.add("r1", "r1", shape.groups * GROUP_STREAM_BYTES)
        return
    for group in range(shape.groups % LOOP_GROUPS or LOOP_GROUPS):
        yield from _group(first=group == 0)
    turn = Label(2)
    yield turn
    for _ in range(LOOP_GROUPS):
        yield from _group(first=False)
    yield from (isa.ldr("r12", "sp", OPERANDS_END_SLOT), isa.cmp("r0", "r12"), isa.bne_back(turn))


def _group(first: bool, group: int | None = None) -> Iterator[Line]:
    """4 inputs, 2 channels, 4 pixels; at a fixed place, or wherever the pointers stand."""
    yield isa.ldrd_next(*WEIGHTS, "r1") if group is None else isa.ldrd(*WEIGHTS, "r1", group * GROUP_STREAM_BYTES)
    for half in (0, 1):
        if half == 1:
            yield from (isa.sxtb16(w, w) for w in WEIGHTS)
        for pair in (0, 1):
            offset = half * 16 + pair * 8
            at = None if group is None else group * GROUP_OPERAND_BYTES + offset
            yield isa.ldrd_next(*OPERANDS, "r0") if at is None else isa.ldrd(*OPERANDS, "r0", at)
            yield from _products(pair, start=first and half == 0)


def _products(pair: int, start: bool) -> Iterator[Line]:
    """Two pixels of two channels. The bias waits in the last pixel's accumulator: others start from it."""
    for which, operand in enumerate(OPERANDS):
        for channel in (0, 1):
            block = ACCUMULATORS[channel]
            acc = block[2 * pair + which]
            yield isa.smlad(acc, WEIGHTS[channel], operand, block[3] if start else acc)


def _requantise(shape: PointwiseShape, channel: int) -> Iterator[Line]:
    """Four pixels of one channel; r2 mantissa, r3 addend, r12 shift, r0 output, lr free."""
    block = ACCUMULATORS[channel]
    if not shape.relu:
        yield from (isa.asr(acc, acc, 7) for acc in block)
    for acc in block:
        if shape.relu:
            yield isa.smmla(acc, acc, "r2", "r3")
        else:
            yield isa.add_sign("lr", "r3", acc)
            yield isa.smmlar(acc, acc, "r2", "lr")
    yield from (isa.asr_by(acc, acc, "r12") for acc in block)
    yield from (isa.ssat8(acc, acc) for acc in block)
    yield from (isa.strb(acc, "r0", pixel * shape.outputs + channel) for pixel, acc in enumerate(block))


def candidates(op: Conv2D) -> tuple[Candidate, ...]:
    if packing.unsuitable(op):
        return ()
    shape = _shape(op)
    block, image = _block_instructions(shape), op.y.image
    return (
        Candidate(
            backend="armv7em",
            kernel="te_pw_x256",
            form=Form.STRIP,
            scratch_bytes=8 * shape.inputs,
            alignment=4,
            scratch_alignment=8,
            run_pixels=PIXELS,
            weight_bytes=4 * packing.stream(op).size,
            code_bytes=block_kernel(shape).code_bytes + expand_kernel(shape.inputs).code_bytes,
            instructions=round(_blocks(image.rows * image.columns) * block),
            call_instructions=CALL + round((_blocks(image.columns) - image.columns / PIXELS) * block),
            part_instructions=PART,
        ),
    )


def lower(op: Conv2D, _chosen: Candidate, function: str) -> Assembled:
    shape = _shape(op)
    block, expand = block_routine(shape), expand_routine(shape.inputs)
    words = packing.stream(op)
    stream = ConstantArray(f"{function}_stream", "uint32_t", words, "biases, weights x256, requantisation", 8)
    params: Params = {
        "inputs": shape.inputs,
        "outputs": shape.outputs,
        "relu": int(shape.relu),
        "stream": stream.name,
        "stream_end": f"{stream.name} + {words.size}",
        "expand": expand.name,
        "block": block.name,
    }
    return Assembled(params, (stream,), (expand, block))


LOWERING = Lowering("te_pw_x256", candidates, lower)


def block_routine(shape: PointwiseShape) -> Routine:
    parameters = (
        "const int32_t *operands",
        "const uint32_t *stream",
        "int8_t *out",
        "const uint32_t *stream_end",
    )
    numbers = (shape.inputs, shape.outputs, int(shape.relu))
    return Routine(block_kernel(shape), parameters, "te_pw_x256_block_twin", numbers, "te_pw_x256.h")


def expand_routine(inputs: int) -> Routine:
    parameters = ("const int8_t *pixels", "int32_t *operands")
    return Routine(expand_kernel(inputs), parameters, "te_pw_x256_expand_twin", (inputs,), "te_pw_x256.h")


def _shape(op: Conv2D) -> PointwiseShape:
    return PointwiseShape(op.x.image.channels, op.y.image.channels, packing.has_relu(op))


def _block_instructions(shape: PointwiseShape) -> int:
    """Executed for four pixels, from the block's structure (see the drawing above)."""
    requantise = 16 if shape.relu else 24
    pair = 23 * shape.groups + 2 * (1 + requantise) + 9
    expand = 13 * shape.groups + shape.groups // 2 * 3 + 10
    return shape.outputs // 2 * pair + expand + 30


def _blocks(pixels: int) -> float:
    """What so many neighbours cost. Two or three left over take a block that computes others once more."""
    blocks, left = divmod(pixels, PIXELS)
    return blocks + (left * ALONE if left == 1 or blocks == 0 else left > 0)
