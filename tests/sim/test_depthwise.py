"""Depthwise convolution in assembly on random shapes and extreme weights, with its exact instruction counts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest

from tecompile.backends.armv7em import depthwise
from tecompile.backends.armv7em.backend import FLASH_PRICES, Armv7emBackend
from tecompile.backends.armv7em.depthwise_stream import Proved, for_bytes
from tecompile.backends.armv7em.depthwise_unpack import Unpacking
from tecompile.backends.backend import Chain, lower_program
from tecompile.backends.native import NativeTarget
from tecompile.backends.native.packing import Channels
from tecompile.board import load_board
from tecompile.graph import Clamp, Graph, Padding, Quant, Rounding
from tecompile.ops.depthwise_conv2d import DepthwiseConv2D
from tecompile.ops.geometry import Pair
from tecompile.planner.plan import RegionUse
from tecompile.render.model import ModelInfo, render_model
from tecompile.render.project import render_project
from tecompile.simulate.prove import prove_firmware
from tecompile.simulate.simulators import why_not
from tecompile.simulate.toolchain import toolchains
from tecompile.target import Candidate, Form
from tests.host.chains import chain, copy, dw
from tests.host.test_rings import ring_plans
from tests.tools.graphs import Builder

from .layers import M4, M7, M33, PLACE, compiled, counts, inputs_of, prove, prove_twins, rarely, side_by_side

LAYERS = 10
KERNELS = [(3, 3), (3, 3), (5, 5), (7, 7), (1, 3), (3, 1), (3, 5), (2, 2), (4, 4), (1, 1), (6, 6), (9, 9), (7, 3)]
STRIDES = [(1, 1), (1, 1), (2, 2), (1, 2), (2, 1), (3, 3)]
SMALL = (1, 2, 3, 4, 5, 6, 7, 9, 13, 22)
CLAMPS = [Clamp(-128, 127)] * 3 + [Clamp(-100, 127), Clamp(-128, 30), Clamp(-50, 60)]


def is_assembly(candidate: Candidate) -> bool:
    return candidate.kernel == "te_depthwise_planes"


def is_whole(candidate: Candidate) -> bool:
    return is_assembly(candidate) and candidate.form is Form.WHOLE


def is_strip(candidate: Candidate) -> bool:
    return is_assembly(candidate) and candidate.form is Form.STRIP


def window_layer(
    b: Builder, image: tuple[int, int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: Padding
) -> DepthwiseConv2D:
    """Any window; random weights."""
    x = b.input(1, *image)
    b.dw(x)
    op = b.ops[-1]
    assert isinstance(op, DepthwiseConv2D)
    data = b.random.integers(-127, 128, (1, *kernel, image[2])).astype(np.int8)
    weights = replace(op.weights, shape=data.shape, data=data)
    op = replace(op, inputs=(op.x, weights, op.bias), kernel=Pair(*kernel), stride=Pair(*stride), padding=padding)
    y = replace(op.y, shape=(1, *op.output_size(), image[2]))
    return replace(op, outputs=(y,))


def random_padding(random: np.random.Generator, image: tuple[int, int], kernel: tuple[int, int]) -> Padding:
    """Of any size, but so that a window fits."""
    sides = []
    for size, taps in zip(image, kernel, strict=True):
        before, after = (int(n) for n in random.integers(0, taps + 1, 2))
        sides += [before, max(after, taps - size - before)]
    return Padding(*sides)


def random_layer(b: Builder, number: int) -> DepthwiseConv2D:
    """Any size, few channels and many, leftovers of groups; extreme weights, zero points, bounds and scales."""
    random = b.random
    kernel = KERNELS[random.integers(len(KERNELS))]
    stride = STRIDES[random.integers(len(STRIDES))]
    image = (int(random.choice(SMALL)), int(random.choice(SMALL)))
    op = window_layer(
        b, (*image, int(random.choice([4, 5, 6, 7, 8, 11, 16]))), kernel, stride, random_padding(random, image, kernel)
    )
    signs = random.choice([-127, 127, -128], (1, 1, 1, op.channels)).astype(np.int8)
    weights = op.weights
    if number % 3 == 0:
        weights = replace(weights, data=np.broadcast_to(signs, weights.shape).copy())  # the largest sums there are
    if number % 5 == 1:  # as networks of uint8 have it
        assert op.weights.quant is not None
        weights = replace(weights, quant=Quant(op.weights.quant.scales[:1], (int(random.choice([-128, 97])),)))
        op = replace(op, legacy=True)
    source = replace(op.x, quant=Quant((0.05,), (int(random.choice([-128, -3, 127])),)))
    b.inputs[-1] = source
    quant = Quant((float(random.choice([0.001, 0.05, 2.0])),), (int(random.choice([-128, -128, -127, 5, 127])),))
    clamp = CLAMPS[random.integers(len(CLAMPS))]
    rounding = Rounding.SINGLE if number % 4 == 0 else Rounding.DOUBLE
    y = replace(op.y, quant=quant)
    return replace(op, inputs=(source, weights, op.bias), outputs=(y,), clamp=clamp, rounding=rounding)


def graph_of(seed: int) -> Graph:
    b = Builder(seed)
    return side_by_side("depthwise", [random_layer(b, number) for number in range(LAYERS)])


def doubled(op: DepthwiseConv2D, channels: Channels) -> Iterator[tuple[Unpacking, Proved]]:
    return for_bytes(op, channels, (Unpacking.X2,))


VARIANTS: Mapping[str, Mapping[str, object]] = {
    "fastest": {},
    "rolling": {"CHEAP_ENOUGH": 100, "STRIP_ROWS": (1,)},
    "polynomials": {"for_pairs": lambda *_: None, "for_bytes": lambda *_: (), "NARROWEST_POLY": 1},
    "words": {"for_bytes": lambda *_: (), "fits": lambda _: False},
    "words of polynomials": {
        "for_pairs": lambda *_: None,
        "for_bytes": lambda *_: (),
        "fits": lambda _: False,
        "NARROWEST_POLY": 1,
    },
    "doubled": {"for_pairs": lambda *_: None, "for_bytes": doubled, "NARROWEST_POLY": 99},
    "times 256": {"for_pairs": lambda *_: None, "NARROWEST_POLY": 99},
}


SLOW = ("words", "words of polynomials", "doubled")
SOME_VARIANTS = [rarely(v) if v in SLOW else v for v in (*VARIANTS, "strip")]
TWINS = [v if v in ("fastest", "polynomials", "strip") else rarely(v) for v in (*VARIANTS, "strip")]


@pytest.fixture
def variant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Also what is not the fastest choice."""
    for name, value in VARIANTS.get(request.param, {}).items():
        monkeypatch.setattr(depthwise, name, value)
    return str(request.param)


@pytest.mark.sim
@pytest.mark.parametrize("variant", SOME_VARIANTS, indirect=True)
def test_assembly_equals_the_reference(variant: str) -> None:
    prove(graph_of(1), "stm32h743", "unicorn", is_strip if variant == "strip" else is_assembly)


@pytest.mark.sim
@pytest.mark.parametrize(PLACE, [M4, rarely(*M7), rarely(*M33)])
def test_alignment(board_name: str, simulator: str, distance: int) -> None:
    """QEMU faults where a pair of words is not aligned."""
    prove(graph_of(2), board_name, simulator, is_assembly, distance)


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("variant", [*VARIANTS, "strip"], indirect=True)
@pytest.mark.parametrize("seed", range(10, 12))
def test_many_shapes(seed: int, variant: str) -> None:
    prove(graph_of(seed), "stm32h743", "unicorn", is_strip if variant == "strip" else is_assembly)


WIDE = [  # image, kernel, stride: rows in turns, taps out of LDRD's reach, pixels out of STRB's
    ((4, 40, 5), (7, 7), (1, 1)),
    ((5, 80, 6), (3, 3), (1, 1)),
    ((5, 150, 4), (5, 5), (2, 2)),
    ((6, 41, 4), (9, 9), (1, 1)),
    ((3, 9, 1001), (3, 3), (1, 1)),
    ((3, 3, 4095), (2, 2), (1, 1)),
]


@pytest.mark.sim
@pytest.mark.parametrize("variant", ["fastest", "rolling"], indirect=True)
def test_long_rows_and_large_pixels(variant: str) -> None:
    b = Builder(7)
    sides = [((kernel[0] - 1) // 2, (kernel[1] - 1) // 2) for _, kernel, _ in WIDE]
    pads = [Padding(rows, rows, columns, columns) for rows, columns in sides]
    ops = [window_layer(b, *shape, pad) for shape, pad in zip(WIDE, pads, strict=True)]
    prove(side_by_side("depthwise", ops), "stm32h743", "unicorn", is_assembly)
    assert variant


@pytest.mark.sim
@pytest.mark.parametrize("number", [0, 5, 8])
def test_rings(number: int) -> None:
    """Runs of rows, rows that the end of a ring cuts, parts of rows."""
    chain_of, board = Chain((Armv7emBackend(), NativeTarget())), load_board("stm32h743")
    if why_not("unicorn", board) or not any(toolchains(board)):
        pytest.skip("no compiler or simulator")
    graph = chain([copy, dw(3, 1), copy, dw(7, 1), dw(3, 2), copy], 12, 8, 5)
    plan = list(ring_plans(graph, np.random.default_rng(1), chain_of))[number]
    plan = replace(plan, regions=(RegionUse(board.arena[0], plan.arena_bytes),))
    program = lower_program(graph.name, plan, chain_of.backends)
    files = render_model(program, ModelInfo("none.tflite", "0" * 64, (b"",)))
    project = render_project("make", [program], board, files)
    proof = prove_firmware(program, board, project, "unicorn", inputs_of(graph), poison=True)
    assert proof.verification.bit_exact


def test_most_of_these_layers_use_assembly() -> None:
    used = [call.kernel for call in compiled(graph_of(1), "qemu-m7")[0].calls]
    assert used.count("te_depthwise_planes") >= LAYERS * 2 // 3, used


@pytest.mark.parametrize("variant", TWINS, indirect=True)
def test_the_c_twins_equal_the_reference(variant: str) -> None:
    prove_twins(graph_of(100), is_strip if variant == "strip" else is_assembly)


def known_layer(size: int, channels: int, kernel: int, stride: int, zero: int) -> DepthwiseConv2D:
    b = Builder(size)
    b.dw(b.input(1, size, size, channels), kernel, stride)
    op = b.ops[-1]
    assert isinstance(op, DepthwiseConv2D)
    return replace(op, outputs=(replace(op.y, quant=Quant((0.05,), (zero,))),))


RELU, LINEAR = -128, 3
KNOWN = {  # whole and in place; in strips of 4 rows
    (20, 96, 3, 1, RELU): (500036, 528251),
    (20, 96, 3, 1, LINEAR): (595149, 624731),
    (20, 96, 5, 1, RELU): (989444, 1065179),
    (10, 240, 7, 1, RELU): (881229, 992854),
    (20, 96, 3, 2, RELU): (179569, 192287),
    (20, 96, 5, 2, RELU): (300750, 329242),
    (10, 240, 7, 2, RELU): (302181, 335174),
    (4, 160, 3, 1, RELU): (41350, 41345),
    (2, 384, 7, 1, RELU): (40233, 40230),
}


@pytest.mark.sim
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="another compiler counts otherwise")
def test_instructions_of_known_layers() -> None:
    """Per product, whole 1.447 1.722 1.031 .749 2.078 1.253 1.028, strips 1.528 1.808 1.110 .844 2.226 1.372 1.140, and
    less than that where taps only meet the border."""
    ops = [known_layer(*shape) for shape in KNOWN]
    found = []
    for place, wanted in enumerate((is_whole, is_strip)):
        found.append(counts(side_by_side("known", ops), wanted=wanted))
        guesses = [next(filter(wanted, depthwise.candidates(op, FLASH_PRICES[0]))).instructions for op in ops]
        np.testing.assert_allclose(guesses, found[place], rtol=0.05)
    assert list(zip(*found, strict=True)) == list(KNOWN.values())
