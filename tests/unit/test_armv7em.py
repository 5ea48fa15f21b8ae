"""Assembly as data: the calling-convention check, stable names, and the proofs behind the packings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tecompile.backends.armv7em import gemm, isa
from tecompile.backends.armv7em.backend import FLASH_PRICES, Armv7emBackend
from tecompile.backends.armv7em.cores import Order, function_in
from tecompile.backends.armv7em.cycles import executed
from tecompile.backends.armv7em.function import Function, check
from tecompile.backends.armv7em.gemm_block import Block, Packing
from tecompile.backends.armv7em.instr import Label, Line
from tecompile.backends.armv7em.matrix_block import block_kernel
from tecompile.backends.armv7em.operands import Operands, expand_kernel, expansion_of
from tecompile.backends.armv7em.packing import packings
from tecompile.backends.armv7em.requant import INT8, Requant
from tecompile.errors import InternalError
from tecompile.graph import Array, Clamp, DType, Quant, Rounding, Tensor
from tecompile.ops.conv2d import Conv2D
from tests.tools.graphs import Builder

ONCE = Requant(False, 0, 12, INT8)
TWICE = Requant(True, 7, None, Clamp(-100, 90))
BLOCKS = [
    Block(packing, requant, groups, 97, channels, pixels, turn_groups)
    for packing in Packing
    for requant in (ONCE, TWICE)
    for groups in (1, 2, 9, 26)
    for channels in (1, 2)
    for pixels in (1, 4)
    for turn_groups in (0, 3)
] + [
    Block(packing, requant, groups, 97, channels, pixels, turn_groups=2, shared=True)
    for packing in Packing
    for requant in (ONCE, TWICE)
    for groups in (3, 4)
    for channels in (1, 2)
    for pixels in (1, 4)
]


def convolution(inputs: int = 16, outputs: int = 8, weight: int | None = None) -> Conv2D:
    b = Builder()
    b.conv(b.input(1, 3, 5, inputs), outputs)
    (op,) = b.ops
    assert isinstance(op, Conv2D)
    return op if weight is None else with_weights(op, np.full(op.weights.shape, weight, np.int8))


def with_weights(op: Conv2D, data: Array) -> Conv2D:
    return replace(op, inputs=(op.x, replace(op.weights, data=data), op.bias))


def with_output_quant(op: Conv2D, scale: float, zero: int) -> Conv2D:
    y = Tensor("y", op.y.shape, op.y.dtype, Quant((scale,), (zero,)))
    return replace(op, outputs=(y,))


def proved(op: Conv2D) -> set[str]:
    return {packed.spec for packed in packings(op, op.weight_values().reshape(op.channels, -1))}


def test_generated_kernels_obey_the_calling_convention() -> None:
    for block in BLOCKS:
        assert block_kernel(block).name.startswith(block.stem + "_")  # checked when made


@pytest.mark.parametrize("operands", Operands)
@pytest.mark.parametrize("depth", range(1, 20))
def test_operands_of_any_depth_are_expanded(operands: Operands, depth: int) -> None:
    kernel = expand_kernel(expansion_of(operands, depth))
    assert executed(kernel.lines) <= 13 * (depth // 4) + depth // 4 + 39


def test_one_expansion_serves_many_depths() -> None:
    kernels = {expand_kernel(expansion_of(Operands.X256, depth)).name for depth in range(8, 400, 8)}
    assert len(kernels) == 1


@pytest.mark.parametrize(("packing", "budget"), [(Packing.X256, 23), (Packing.I16, 22), (Packing.I8, 26)])
@pytest.mark.parametrize("turn", [0, 4])
def test_the_inner_group_meets_its_budget(packing: Packing, budget: int, turn: int) -> None:
    """Per 4 inputs, 2 channels and 4 pixels; what a loop adds is left out."""
    small, large = (
        executed(block_kernel(Block(packing, ONCE, groups, 8, turn_groups=turn, passes=1)).lines) for groups in (12, 20)
    )
    assert large - small == 8 * budget + (2 * 3 if turn else 0)


def test_same_specification_same_name() -> None:
    assert block_kernel(BLOCKS[0]) == block_kernel(BLOCKS[0])
    assert block_kernel(replace(BLOCKS[0], passes=7)).name == block_kernel(BLOCKS[0]).name
    assert len({block_kernel(block).name for block in BLOCKS}) == len({block.stem for block in BLOCKS})


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


def halves(word: int) -> list[int]:
    return [half - 0x10000 if half & 0x8000 else half for half in (word & 0xFFFF, word >> 16)]


def test_packings_hold_what_kernels_multiply() -> None:
    """Undone: the words of the second group of the second channel."""
    op = convolution(inputs=8, outputs=2)
    made = {Packing(p.spec): p for p in packings(op, op.weight_values().reshape(2, 8))}
    w = [int(v) for v in op.weight_values().reshape(2, 8)[1, 4:]]
    streams = {packing: packed.stream[2 : 2 + 4 * packing.words] for packing, packed in made.items()}
    words = {packing: found.reshape(2, -1, 2)[1, :, 1].tolist() for packing, found in streams.items()}
    assert halves(words[Packing.X256][0]) == [256 * w[0] + w[1], 256 * w[2] + w[3]]
    assert words[Packing.I8][0].to_bytes(4, "little") == bytes(v & 0xFF for v in w)
    even, odd = map(halves, words[Packing.I16])
    scale = even[0] // w[0]
    assert scale in (2, 4) and (even, odd) == ([scale * w[0], scale * w[2]], [scale * w[1], scale * w[3]])


def test_two_bytes_for_a_weight_must_save_enough() -> None:
    """Weights of uint8 models may need 9 bits: then the alternative are bytes, and kernels in C."""
    b = Builder()
    for size in (24, 2):
        b.conv(b.input(1, size, size, 16), 8)
    for op, price, worth in ((b.ops[0], 20, True), (b.ops[0], 500, False), (b.ops[1], 20, False)):
        assert isinstance(op, Conv2D)
        wide = replace(op.weights, quant=Quant((0.01,), (-100,)))
        legacy = replace(op, inputs=(op.x, wide, op.bias), legacy=True)
        assert proved(op) == {"x256", "i16", "i8"}
        assert bool(Armv7emBackend(flash_price=price).candidates(legacy)) == worth


def test_the_last_channel_may_have_no_partner() -> None:
    op = convolution(outputs=5)
    weights = op.weight_values().reshape(5, 16)
    own, shared = (gemm.proved_gemms(op, weights, price, (Packing.X256,))[0] for price in (0, FLASH_PRICES[-1]))
    words = 1 + 4 + own.packed.block.requant.words
    assert len(own.stream) == 5 * words and own.params("f")["last"] == f"f_stream + {4 * words}"
    assert len(shared.stream) == 5 * words + 4 and shared.params("f")["last"] == f"f_stream + {4 * words + 2}"
    assert list(shared.stream[[0, 1, 4 * words + 2, 4 * words + 3]]) == [4 * 32, 5] * 2  # four groups of inputs
    assert len(own.routines) == len(shared.routines) == 4


def test_suitable_convolutions_are_offered() -> None:
    candidate = Armv7emBackend().candidates(convolution())[0]
    assert candidate.scratch_bytes == 8 * 16


@pytest.mark.parametrize(
    "op",
    [
        convolution(inputs=6),
        convolution(inputs=1366),
        convolution(outputs=7),
        convolution(outputs=1),
        convolution(weight=-128),
        convolution(inputs=1024, weight=127),
        with_output_quant(convolution(), 1e-5, 0),
        replace(convolution(), clamp=Clamp(-128, 100)),
        replace(convolution(), rounding=Rounding.SINGLE),
    ],
)
def test_all_shapes_and_values_have_a_kernel(op: Conv2D) -> None:
    assert Armv7emBackend().candidates(op)[0].kernel == "te_gemm_pointwise"


@pytest.mark.parametrize(
    ("op", "packings"),
    [
        (convolution(), {"x256", "i16", "i8"}),
        (convolution(weight=-128), {"i16", "i8"}),  # 256 * -128 - 128 has more than 16 bits
        (convolution(inputs=1024, weight=127), {"i16", "i8"}),  # accumulators have more than 23
        (with_output_quant(convolution(), 1e-6, 0), set()),
        (replace(convolution(), rounding=Rounding.AWAY), set()),
    ],
)
def test_packings_are_proved(op: Conv2D, packings: set[str]) -> None:
    assert proved(op) == packings


@pytest.mark.parametrize(("beyond", "expected"), [(0, True), (1, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_23_bits_are_the_limit_of_x256(beyond: int, expected: bool, sign: int) -> None:
    """The largest accumulator, with the input at 127 and its zero point 3, is 2^23 - 1, or one more."""
    op = convolution(inputs=400, outputs=2, weight=127 * sign)
    bias = np.full(2, sign * ((1 << 23) - 1 + beyond) - 400 * 127 * 124 * sign, np.int32)
    op = replace(op, inputs=(op.x, op.weights, Tensor("bias", (2,), DType.INT32, None, bias)))
    assert ("x256" in proved(op)) == expected


def test_a_function_shows_what_is_in_its_registers() -> None:
    """As its generator draws it."""
    drawing = block_kernel(BLOCKS[0]).drawing
    assert drawing[0].startswith("r0 operands   r1 weight stream") and drawing[-1].startswith("[channel 1: r5")
    assert function_in(Order.M7, block_kernel(BLOCKS[0])).drawing == drawing
