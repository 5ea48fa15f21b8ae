"""Assembly as data: the calling-convention check, stable names, and the proofs behind the packing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tecompile.backends.armv7em import isa, packing
from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.armv7em.function import Function, check
from tecompile.backends.armv7em.instr import Label, Line
from tecompile.backends.armv7em.pointwise import PointwiseShape, block_kernel, expand_kernel
from tecompile.errors import InternalError
from tecompile.graph import Clamp, Quant, Rounding, Tensor
from tecompile.ops.conv2d import Conv2D
from tests.tools.graphs import Builder

SHAPES = [
    PointwiseShape(k, c, relu)
    for k in (4, 12, 48, 104, 108, 240, 1028, 1360)
    for c in (2, 96)
    for relu in (False, True)
]


def convolution(inputs: int = 16, outputs: int = 8, weight: int | None = None) -> Conv2D:
    b = Builder()
    b.conv(b.input(1, 3, 5, inputs), outputs)
    (op,) = b.ops
    assert isinstance(op, Conv2D)
    if weight is None:
        return op
    data = np.full(op.weights.shape, weight, np.int8)
    return replace(op, inputs=(op.x, replace(op.weights, data=data), op.bias))


def with_output_quant(op: Conv2D, scale: float, zero: int) -> Conv2D:
    y = Tensor("y", op.y.shape, op.y.dtype, Quant((scale,), (zero,)))
    return replace(op, outputs=(y,))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.stem)
def test_generated_kernels_obey_the_calling_convention(shape: PointwiseShape) -> None:
    kernel = block_kernel(shape)  # checked when made
    assert kernel.name.startswith(shape.stem + "_")
    assert expand_kernel(shape.inputs).instructions[-1].text.endswith("pc}")


def test_the_inner_group_meets_its_budget() -> None:
    """Per 4 inputs, 2 channels and 4 pixels: 16 SMLAD, 2 SXTB16, 5 LDRD."""
    small, large = block_kernel(PointwiseShape(48, 8, True)), block_kernel(PointwiseShape(44, 8, True))
    assert len(small.instructions) - len(large.instructions) == 16 + 2 + 5


def test_same_specification_same_name() -> None:
    assert block_kernel(SHAPES[0]) == block_kernel(SHAPES[0])
    assert len({block_kernel(s).name for s in SHAPES}) == len(SHAPES)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([isa.push(["r4", "lr"]), isa.add("r12", "r3", 1), isa.pop_return(["r4"])], "reads a register nobody set"),
        ([isa.push(["r4", "lr"]), isa.add("r5", "r0", 1), isa.pop_return(["r4"])], "not all saved"),
        ([isa.push(["r4", "lr"]), isa.grow_stack(8), isa.pop_return(["r4"])], "not balanced"),
        ([isa.push(["r4", "lr"]), isa.add("r4", "r0", 1)], "not balanced"),
        ([isa.push(["lr"]), isa.cmp("r0", "r0"), isa.bne_back(Label(3)), isa.pop_return([])], "no label"),
    ],
)
def test_the_check_notices(lines: list[Line], complaint: str) -> None:
    with pytest.raises(InternalError, match=complaint):
        check(Function("broken", "a test", tuple(lines)), arguments=1)


def test_packing_holds_what_the_kernel_multiplies() -> None:
    """Undo the packing: every word is 256 * w[0] + w[1] in each half."""
    op = convolution(inputs=8, outputs=2)
    words = packing.stream(op).astype(np.int64)
    weights = op.weight_values().reshape(2, 8).astype(np.int64)
    for channel in (0, 1):
        for group in (0, 1):
            word = int(words[2 + 2 * group + channel])
            halves = [(word & 0xFFFF), word >> 16]
            signed = [h - 0x10000 if h & 0x8000 else h for h in halves]
            w = weights[channel, 4 * group : 4 * group + 4]
            assert signed == [256 * w[0] + w[1], 256 * w[2] + w[3]]


def test_suitable_convolutions_are_offered() -> None:
    op = convolution()
    assert packing.unsuitable(op) is None
    (candidate,) = Armv7emBackend().candidates(op)
    assert candidate.scratch_bytes == 8 * 16


@pytest.mark.parametrize(
    ("op", "reason"),
    [
        (convolution(inputs=6), "channels"),
        (convolution(inputs=1364), "channels"),
        (convolution(outputs=7), "channels"),
        (convolution(weight=-128), "weight of -128"),
        (convolution(inputs=1024, weight=127), "23 bits"),
        (with_output_quant(convolution(), 1e-6, 0), "shift"),
        (replace(convolution(), clamp=Clamp(-128, 100)), "bounds"),
        (replace(convolution(), rounding=Rounding.SINGLE), "rounding"),
    ],
)
def test_unproved_convolutions_are_left_to_c(op: Conv2D, reason: str) -> None:
    assert reason in (packing.unsuitable(op) or "")
    assert Armv7emBackend().candidates(op) == ()
