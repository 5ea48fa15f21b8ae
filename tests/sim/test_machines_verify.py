"""Verification: right models pass everywhere; every planted mistake is found and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tecompile.board import load_board
from tecompile.simulate.elf import read_elf
from tecompile.simulate.machine import SimulationError
from tecompile.simulate.prove import Inputs, prove_firmware, prove_on_host
from tecompile.simulate.simulators import why_not

from . import fake
from .fake import Layout, fake_model, project
from .firmware import (
    BOARDS,
    COMPILERS,
    SIMULATORS,
    build,
    check,
    check_faulty,
    host_session,
    opened,
    require_compiler,
    require_simulator,
)

pytestmark = pytest.mark.sim

# The output follows the input's death as closely as it may: row r of z where row r of x was.
OVERLAY = Layout(z_offset=0, nbytes=fake.ROWS * fake.ROW + 3 * fake.ROW + fake.SCRATCH)
RIGHT_PLANS = {
    "rows": Layout(),
    "upwards": Layout(upwards=True),
    "a diagonal overlay": OVERLAY,
    "upwards over the input": replace(OVERLAY, upwards=True),
    "halves of rows in a ring whose rows wrap": Layout(parts=2, ring_bytes=5 * fake.ROW // 2),
    "quarters of rows, upwards, over the input": replace(OVERLAY, parts=4, ring_bytes=9 * fake.ROW // 4, upwards=True),
    "a sink": Layout(sink=True),
    "a sink in one call": Layout(sink=True, sink_at_once=True),
    "a sink of halves of rows": Layout(sink=True, parts=2, ring_bytes=5 * fake.ROW // 2),
}
MACS = 4 * fake.ROWS * fake.ROW  # inc 1, sum3 3 of each value


@pytest.mark.parametrize("kind", COMPILERS)
@pytest.mark.parametrize("board", BOARDS)
def test_every_row_is_right(firmware: Path, board: str, kind: str) -> None:
    model = fake_model(load_board(board))
    elf = build(firmware, board, kind, model)
    for simulator in (name for name in SIMULATORS if why_not(name, load_board(board)) is None):
        found = check(model, opened(simulator, model, board, elf))
        assert found.bit_exact, found
        assert (found.inputs_checked, found.simulator) == (2, simulator)
        assert [layer.bytes_checked for layer in found.layers] == [2 * fake.ROWS * fake.ROW] * 2
        assert found.profile.macs_executed == MACS
        assert 0 < (found.profile.stack_bytes or 0) < 500


@pytest.mark.parametrize("kind", COMPILERS)
def test_host(tmp_path: Path, kind: str) -> None:
    model = fake_model(load_board("host"))
    found = check(model, host_session(tmp_path, model, kind))
    assert found.bit_exact, found
    assert found.profile.instructions is None
    assert found.profile.macs_executed == MACS


SECOND = ("quarters of rows, upwards, over the input", "a sink of halves of rows")  # for the slower compiler
RIGHT = [("gcc", name) for name in RIGHT_PLANS] + [("zig", name) for name in SECOND]


@pytest.mark.parametrize(("kind", "layout"), [pytest.param(k, RIGHT_PLANS[n], id=f"{n}-{k}") for k, n in RIGHT])
def test_right_plans_pass_everywhere(firmware: Path, tmp_path: Path, kind: str, layout: Layout) -> None:
    model = fake_model(load_board("qemu-m7"), layout=layout)
    elf = build(firmware, "qemu-m7", kind, model)
    host = fake_model(load_board("host"), layout=layout)
    found = [check(model, opened(simulator, model, "qemu-m7", elf)) for simulator in SIMULATORS]
    for proof in (*found, check(host, host_session(tmp_path, host, kind))):
        assert proof.bit_exact, proof
        assert proof.profile.macs_executed == MACS + layout.sink * fake.ROWS * fake.ROW


@pytest.mark.parametrize("kind", COMPILERS)
def test_two_models_in_one_firmware(firmware: Path, kind: str) -> None:
    board = load_board("qemu-m7")
    models = [fake_model(board, "fake"), fake_model(board, "second")]
    elf = build(firmware, "qemu-m7", kind, *models)
    for model in models:
        assert check(model, opened("unicorn", model, "qemu-m7", elf)).bit_exact
        assert check(model, opened("qemu", model, "qemu-m7", elf)).bit_exact
    arenas = [s.nbytes for s in read_elf(elf).sections if s.name.startswith(".arena")]
    assert arenas == [models[0].program.plan.arena_bytes]  # shared


def test_wrong_values_are_named(firmware: Path) -> None:
    for simulator in SIMULATORS:
        found = check_faulty(firmware, simulator, fake.WRONG_VALUE)
        assert not found.bit_exact
        assert found.first is not None
        assert (found.first.layer, found.first.tensor) == ("L01_sum3", "z")
        assert (found.first.row, found.first.column, found.first.channel) == (4, 1, 2)
        assert abs(found.first.got - found.first.expected) == 1
        assert [layer.bytes_differ for layer in found.layers] == [0, 2]
        assert found.outputs_differ == 2
        assert str(found.first).startswith("L01_sum3 (z), row 4, column 1, channel 2: ")


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_writes_outside_the_output_are_named(firmware: Path, simulator: str) -> None:
    found = check_faulty(firmware, simulator, fake.BYTE_TOO_FAR)
    assert not found.bit_exact
    assert "L01_sum3 rows [0, 1) writes 1 bytes it does not own" in found.violations[0]
    assert found.violations[7].endswith(f"the first at 0:{Layout().nbytes}")  # just past the arena


def test_host_sees_what_machines_see(tmp_path: Path) -> None:
    model = fake_model(load_board("host"), fault=fake.BYTE_TOO_FAR)
    assert len(check(model, host_session(tmp_path, model)).violations) == 8


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_scratch_kept_between_calls_shows_only_under_poison(firmware: Path, simulator: str) -> None:
    assert check_faulty(firmware, simulator, fake.KEEPS_SCRATCH, poison=False).bit_exact
    assert not check_faulty(firmware, simulator, fake.KEEPS_SCRATCH).bit_exact


WRONG_PLANS = {
    "a ring that loses a row still needed": Layout(ring_bytes=2 * fake.ROW),
    "a ring that loses a pixel still needed": Layout(parts=4, ring_bytes=2 * fake.ROW),
    "sums where other scratch is": Layout(sink=True, sums_offset=fake.RING + 3 * fake.ROW),
    "an output over input still needed": Layout(z_offset=3 * fake.ROW),
    "a row read before it is computed": Layout(swap_steps=True),
}


@pytest.mark.parametrize("layout", WRONG_PLANS.values(), ids=WRONG_PLANS.keys())
def test_wrong_plans_show(firmware: Path, layout: Layout) -> None:
    for simulator in SIMULATORS:
        assert not check_faulty(firmware, simulator, fake.NOTHING, layout=layout).bit_exact


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_code_that_does_not_follow_the_plan_shows(firmware: Path, simulator: str) -> None:
    board = load_board("qemu-m7")
    built, planned = fake_model(board), fake_model(board, layout=Layout(swap_steps=True))
    elf = build(firmware, "qemu-m7", "gcc", built)
    session = opened(simulator, planned, "qemu-m7", elf)
    with pytest.raises(SimulationError, match=r"next stop is call 3, L01_sum3, but the firmware is at .*L00_inc"):
        check(planned, session, poison=False)


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize("kind", COMPILERS)
def test_arguments_that_are_not_the_plans_show(firmware: Path, simulator: str, kind: str) -> None:
    board = load_board("qemu-m7")
    for parts, built, planned in (
        (1, r"rows \[0, 1\)", r"rows \[7, 8\)"),
        (2, r"row 0, columns \[0, 2\)", r"row 7, columns \[2, 4\)"),
    ):
        elf = build(firmware, "qemu-m7", kind, fake_model(board, layout=Layout(parts=parts)))
        model = fake_model(board, layout=Layout(parts=parts, upwards=True))
        session = opened(simulator, model, "qemu-m7", elf)
        with pytest.raises(SimulationError, match=f"call 0, L00_inc, computes {built}, but the plan's is {planned}"):
            check(model, session, poison=False)


def test_host_code_that_does_not_follow_the_plan_shows(tmp_path: Path) -> None:
    board = load_board("host")
    session = host_session(tmp_path, fake_model(board))
    session._program = fake_model(board, layout=Layout(swap_steps=True)).program
    with pytest.raises(SimulationError, match="call 3, layer 0, came where the plan has call 3"):
        session.run(lambda _step: None)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_stack_is_measured(firmware: Path, simulator: str) -> None:
    deep = check_faulty(firmware, simulator, fake.DEEP_STACK).profile.stack_bytes
    assert deep is not None
    assert 1000 <= deep < 1200


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_prove_builds_runs_and_counts(simulator: str) -> None:
    require_simulator(simulator, "qemu-m33")
    board = load_board("qemu-m33")
    model = fake_model(board)
    frames = model.frames(1)
    inputs = Inputs(frames, model.expected(frames))
    toolchain = require_compiler("qemu-m33", "gcc")
    proof = prove_firmware(model.program, board, project(board, model), simulator, inputs, toolchain=toolchain)
    assert proof.verification.bit_exact
    assert proof.compiler.startswith("gcc ")
    assert proof.sizes is not None
    profile = proof.verification.profile
    assert profile.instructions is not None
    assert sum(profile.layers.values()) < profile.instructions
    assert profile.stack_bytes is not None


def test_prove_on_host() -> None:
    require_compiler("host", "gcc")
    model = fake_model(load_board("stm32h743"))
    frames = model.frames(1)
    proof = prove_on_host(model.program, model.files, Inputs(frames, model.expected(frames)), poison=True)
    assert proof.verification.bit_exact
