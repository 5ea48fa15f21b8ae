"""Machines: firmwares run from reset to end, counts are exact, and nothing strays unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tecompile.board import load_board
from tecompile.errors import CannotMeet
from tecompile.simulate.elf import model_sizes, read_elf
from tecompile.simulate.machine import SimulationError
from tecompile.simulate.qemu_counter import count_instructions
from tecompile.simulate.qemu_machine import QemuMachine
from tecompile.simulate.simulators import choose_simulator, open_machine, run_firmware
from tecompile.simulate.unicorn_machine import UnicornMachine

from . import fake
from .fake import fake_model, quiet
from .firmware import COMPILERS, SIMULATORS, build, check, check_faulty, opened, require_simulator

pytestmark = pytest.mark.sim


GREETING = ["fake_init: ok", "fake_check_weights: ok", "fake_selftest: ok", "fake_run: ok"]


@pytest.mark.parametrize("board", ["stm32h743", "nucleo-f412zg", "qemu-m33"])
def test_firmware_says_how_it_went(firmware: Path, board: str) -> None:
    require_simulator("unicorn", board)
    elf = read_elf(build(firmware, board, "gcc", fake_model(load_board(board))))
    outcome = run_firmware("unicorn", load_board(board), elf, count=True)
    assert outcome.status == 0
    lines = outcome.console.splitlines()
    assert lines[:4] == GREETING
    assert lines[4].startswith("fake: ")
    assert "cycles" in lines[4]
    assert (" us" in lines[4]) == (board != "qemu-m33")  # QEMU's boards have no known clock


def test_qemu_says_the_same_but_for_the_time(firmware: Path) -> None:
    require_simulator("qemu", "qemu-m4")
    elf = read_elf(build(firmware, "qemu-m4", "gcc", fake_model(load_board("qemu-m4"))))
    outcome = run_firmware("qemu", load_board("qemu-m4"), elf)
    assert (outcome.status, outcome.instructions) == (0, None)
    assert outcome.console.splitlines()[:4] == GREETING


@pytest.mark.parametrize("board", ["stm32h743", "nucleo-f412zg"])
def test_clock_comes_up(firmware: Path, board: str) -> None:
    """The start-up code reached full speed in the simulator: the baud rate and the time say so."""
    require_simulator("unicorn", board)
    elf = read_elf(build(firmware, board, "gcc", fake_model(load_board(board))))
    machine = UnicornMachine(load_board(board), elf, count=True)
    machine.run_until({elf.address("board_exit")})
    clock = machine.read(elf.address("core_hz"), 4)
    assert int.from_bytes(clock, "little") == load_board(board).mhz * 1_000_000


def test_a_failing_self_test_is_reported(firmware: Path) -> None:
    require_simulator("unicorn", "qemu-m7")
    board = load_board("qemu-m7")
    elf = read_elf(build(firmware, "qemu-m7", "gcc", fake_model(board, fault=fake.WRONG_VALUE)))
    outcome = run_firmware("unicorn", board, elf)
    assert "fake_selftest: failed" in outcome.console
    assert outcome.status == 1


@pytest.mark.parametrize("kind", COMPILERS)
@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m7", "qemu-m33"])
def test_unicorn_and_qemu_count_alike(firmware: Path, board: str, kind: str) -> None:
    require_simulator("qemu", board)
    model = fake_model(load_board(board))
    path = build(firmware, board, kind, model)
    profile = check(model, opened("unicorn", model, board, path, count=True), poison=False).profile
    functions = ["fake_run", *(call.function for call in model.program.calls)]
    counts = count_instructions(read_elf(path), load_board(board), functions)
    assert [counts[f].calls for f in functions] == [1, 8, 8]
    assert profile.instructions == counts["fake_run"].instructions
    assert list(profile.layers.values()) == [counts[f].instructions for f in functions[1:]]


def test_counting_is_exact_at_any_stop(firmware: Path) -> None:
    """Also in the middle of a block, and at the same place again."""
    require_simulator("unicorn", "qemu-m7")
    board = load_board("qemu-m7")
    elf = read_elf(build(firmware, "qemu-m7", "gcc", fake_model(board)))
    inside, end = elf.address("te_fake_add_row") + 6, elf.address("board_exit")  # ldrsb, adds | strb
    stepping = UnicornMachine(board, elf, count=True)
    stepping.run_until({inside})
    first = stepping.instructions
    assert first is not None
    stepping.run_until({inside})
    assert stepping.instructions == first + 5
    while stepping.run_until({inside, end}) == inside:
        pass
    whole = run_firmware("unicorn", board, elf, count=True)
    assert (stepping.instructions, stepping.console) == (whole.instructions, whole.console)


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_memory_and_registers(firmware: Path, simulator: str) -> None:
    require_simulator(simulator, "qemu-m7")
    elf = read_elf(build(firmware, "qemu-m7", "gcc", fake_model(load_board("qemu-m7"))))
    machine = open_machine(simulator, load_board("qemu-m7"), elf)
    try:
        machine.run_until({elf.address("main")})
        data = bytes(range(256)) * 17
        machine.write(0x20100001, data)
        assert machine.read(0x20100001, len(data)) == data
        machine.set_register("r7", 0x12345678)
        assert machine.register("r7") == 0x12345678
        assert machine.register("pc") == elf.address("main")
    finally:
        machine.close()


def test_stray_access_is_named(firmware: Path) -> None:
    with pytest.raises(SimulationError, match=r"writes 4 bytes at 0x5a5a0000 at .*L01_sum3"):
        check_faulty(firmware, "unicorn", fake.STRAY_WRITE)
    with pytest.raises(SimulationError, match=r"took an exception at .*L01_sum3.*BFAR 0x5a5a0000"):
        check_faulty(firmware, "qemu", fake.STRAY_WRITE)


def test_memories_that_the_firmware_does_not_use_are_not_there(firmware: Path) -> None:
    require_simulator("unicorn", "stm32h743")
    elf = read_elf(build(firmware, "stm32h743", "gcc", fake_model(load_board("stm32h743"))))
    machine = UnicornMachine(load_board("stm32h743"), elf)
    for access in (lambda: machine.read(0, 4), lambda: machine.write(0, b"1234")):
        with pytest.raises(SimulationError, match="no memory of 4 bytes at 0x00000000"):
            access()  # ITCM: a null pointer would land here


def test_unaligned_pairs_fault_in_qemu(firmware: Path) -> None:
    with pytest.raises(SimulationError, match=r"took an exception at .*L01_sum3"):
        check_faulty(firmware, "qemu", fake.UNALIGNED)


def test_a_stack_overflow_faults(firmware: Path) -> None:
    """The stack is at the bottom of its memory: below it there is nothing."""
    require_simulator("unicorn", "stm32h743")
    board = load_board("stm32h743")
    elf = read_elf(build(firmware, "stm32h743", "gcc", fake_model(board)))
    machine = UnicornMachine(board, elf)
    machine.run_until({elf.address("fake_run")})
    machine.set_register("sp", elf.address("_stack") + 8)
    with pytest.raises(SimulationError, match=r"stray access: the firmware writes .* at 0x1f"):
        machine.run_until({elf.address("board_exit")})


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_hang(firmware: Path, simulator: str) -> None:
    require_simulator(simulator, "qemu-m7")
    board = load_board("qemu-m7")
    elf = read_elf(build(firmware, "qemu-m7", "gcc", quiet(fake_model(board, fault=fake.HANG))))
    machine = (UnicornMachine if simulator == "unicorn" else QemuMachine)(board, elf, patience=0.3)
    try:
        with pytest.raises(SimulationError, match=r"hangs at .*L01_sum3"):
            machine.run_until({elf.address("board_exit")})
    finally:
        machine.close()


def test_sizes_leave_out_what_is_not_the_model(firmware: Path) -> None:
    elf = read_elf(build(firmware, "stm32h743", "gcc", fake_model(load_board("stm32h743"))))
    sizes = model_sizes(elf, "fake")
    assert 200 < sizes.code_bytes < 1500
    assert sizes.static_bytes == 4  # fake_t: one pointer


def test_simulators_are_chosen_by_board() -> None:
    require_simulator("unicorn", "stm32h743")
    require_simulator("qemu", "qemu-m4")
    chosen = {name: choose_simulator(load_board(name)) for name in ("stm32h743", "qemu-m4", "host")}
    assert chosen == {"stm32h743": "unicorn", "qemu-m4": "qemu", "host": "host"}


def test_a_simulator_that_can_not_is_refused(firmware: Path) -> None:
    elf = read_elf(build(firmware, "stm32h743", "gcc", fake_model(load_board("stm32h743"))))
    for simulator, reason in (("qemu", "QEMU has no machine for stm32h743"), ("host", "the host runs no firmware")):
        with pytest.raises(CannotMeet, match=reason):
            open_machine(simulator, load_board("stm32h743"), elf)
