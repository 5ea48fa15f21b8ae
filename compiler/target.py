"""What kernels could do, and at what price: the planner's view of a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from .graph import Op, Tensor


class Layout(Enum):
    """How a buffer holds its values. Graph inputs, outputs and cut points are always NHWC8."""

    NHWC8 = "nhwc8"  # TFLite's own: rows, columns, channels (whatever the element type)
    PLANES16 = "planes16"  # int16 pixel pairs by channel: what the fastest depthwise reads
    OPERAND16 = "operand16"  # GEMM operands expanded to 16 bits


class Form(Enum):
    """How a kernel walks its output."""

    STRIP = "strip"  # any rows, or a part of one row, each input row through its own address: may run in a stage
    SINK = "sink"  # takes the input in strips, in rising order; the output is there after the last of them
    WHOLE = "whole"  # the whole tensor in one call


@dataclass(frozen=True)
class Candidate:
    """One way to compute one operator. The planner chooses, the backend lowers exactly that."""

    backend: str
    kernel: str
    form: Form = Form.STRIP
    strip_rows: int = 1  # rows the kernel prefers per call
    layouts_in: tuple[Layout, ...] = (Layout.NHWC8,)
    layout_out: Layout = Layout.NHWC8
    scratch_bytes: int = 0
    alignment: int = 1  # that pointers to rows of the inputs need, where it is more than their elements do
    output_alignment: int = 1
    scratch_alignment: int = 4
    in_place: tuple[int, ...] = ()  # inputs that the output may overwrite: each pixel the same pixel
    by_channel: tuple[int, ...] = ()  # inputs that the output may overwrite where they are dead, channel on channel
    places: Mapping[int, int] = field(default_factory=dict)  # inputs that may lie in the output: from which byte on
    run_pixels: int = 0  # 0, or: takes any run of pixels, across rows too, best a multiple of so many
    splits_rows: bool = True  # can a strip be a part of a row?
    weight_bytes: int = 0
    code_bytes: int = 0
    instructions: int = 0  # estimates, for choosing; 0 if unknown
    call_instructions: int = 0  # what each further call takes, whatever its size
    part_instructions: int = 0  # and, beyond that, each further part of a row: refilled borders, short loops
    cycles: int = 0
    spec: Mapping[str, int | str] = field(default_factory=dict)  # what the backend chose: packing, block...

    def alignments(self, op: Op) -> Iterator[tuple[Tensor, int]]:
        """What the kernel asks of each tensor that it touches."""
        yield from ((t, max(self.alignment, t.dtype.size)) for t in op.activations)
        yield from ((t, max(self.output_alignment, t.dtype.size)) for t in op.outputs)


class Target(Protocol):
    """A chain of backends for one core, asked by the planner."""

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        """All ways to compute `op`, best first; never empty for a supported operator."""
        ...
