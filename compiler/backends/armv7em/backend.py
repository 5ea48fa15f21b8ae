"""The backend of generated assembly: for now pointwise convolutions, everything else is left to others."""

from __future__ import annotations

from ...graph import Op
from ...ops.conv2d import Conv2D
from ...planner.plan import Plan
from ...target import Candidate, Form
from ...templating import render
from ..native.lowering import CALL, PART
from ..native.sources import kernel_sources
from ..program import Call, ConstantArray, KernelSource
from . import packing
from .function import Function
from .pointwise import PointwiseShape, block_kernel, expand_kernel

PIXELS = 4  # of one call of the kernels
ALONE = 0.65  # of a block's instructions, for a pixel without neighbours
BYTES_PER_INSTRUCTION = 3.6  # most are 4 bytes long


class Armv7emBackend:
    """Kernels for cores with the DSP extension."""

    name = "armv7em"

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        if not isinstance(op, Conv2D) or packing.unsuitable(op):
            return ()
        shape = _shape(op)
        block, image = _block_instructions(shape), op.y.image
        code = (*block_kernel(shape).instructions, *expand_kernel(shape.inputs).instructions)
        return (
            Candidate(
                backend=self.name,
                kernel="te_pw_x256",
                form=Form.STRIP,
                scratch_bytes=8 * shape.inputs,
                alignment=4,
                scratch_alignment=8,
                run_pixels=PIXELS,
                weight_bytes=4 * packing.stream(op).size,
                code_bytes=round(len(code) * BYTES_PER_INSTRUCTION),
                instructions=round(_blocks(image.rows * image.columns) * block),
                call_instructions=CALL + round((_blocks(image.columns) - image.columns / PIXELS) * block),
                part_instructions=PART,
            ),
        )

    def lower(self, op: Op, candidate: Candidate, plan: Plan, function: str) -> Call:
        assert isinstance(op, Conv2D)
        shape = _shape(op)
        block, expand = block_kernel(shape), expand_kernel(shape.inputs)
        words = packing.stream(op)
        stream = ConstantArray(f"{function}_stream", "uint32_t", words, "biases, weights x256, requantisation", 8)
        header = f"{block.name}.h"
        return Call(
            op=op,
            function=function,
            kernel=candidate.kernel,
            header=header,
            params={
                "inputs": shape.inputs,
                "outputs": shape.outputs,
                "relu": int(shape.relu),
                "stream": stream.name,
                "stream_end": f"{stream.name} + {words.size}",
                "expand": expand.name,
                "block": block.name,
            },
            constants=(stream,),
            sources=(
                *kernel_sources("te_pw_x256.h"),
                KernelSource(f"{expand.name}.h", render("assembly/expand.h.j2", shape=shape, expand=expand)),
                KernelSource(header, render("assembly/pointwise.h.j2", shape=shape, block=block, expand=expand)),
                _source(block),
                _source(expand),
            ),
        )


def _shape(op: Conv2D) -> PointwiseShape:
    return PointwiseShape(op.x.image.channels, op.y.image.channels, packing.has_relu(op))


def _source(function: Function) -> KernelSource:
    return KernelSource(f"{function.name}.S", render("assembly/function.S.j2", function=function))


def _block_instructions(shape: PointwiseShape) -> int:
    """Executed for four pixels, from the block's structure (see the drawing in pointwise.py)."""
    requantise = 16 if shape.relu else 24
    pair = 23 * shape.groups + 2 * (1 + requantise) + 9
    expand = 13 * shape.groups + shape.groups // 2 * 3 + 10
    return shape.outputs // 2 * pair + expand + 30


def _blocks(pixels: int) -> float:
    """What so many neighbours cost. Two or three left over take a block that computes others once more."""
    blocks, left = divmod(pixels, PIXELS)
    return blocks + (left * ALONE if left == 1 or blocks == 0 else left > 0)
