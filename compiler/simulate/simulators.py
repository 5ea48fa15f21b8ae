"""Which simulators are here, which one suits a board, and a session on it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from ..backends.program import Program
from ..board import Board, load_board
from ..errors import CannotMeet
from .elf import Elf
from .machine import END, Machine
from .qemu_machine import QemuMachine, qemu_missing
from .session import MachineSession
from .toolchain import toolchains
from .unicorn_machine import MODELS, UnicornMachine, unicorn_missing


def why_not(simulator: str, board: Board) -> str | None:
    """Why this simulator can't run this board's firmware here; None if it can."""
    if simulator in ("unicorn", "qemu") and importlib.util.find_spec("elftools") is None:
        return "pyelftools, which reads firmware, is not installed"
    if simulator == "unicorn":
        known = None if board.core.name in MODELS else f"unicorn does not know the {board.core.name}"
        return known or unicorn_missing()
    if simulator == "qemu":
        known = None if board.machine else f"QEMU has no machine for {board.name}"
        return known or qemu_missing()
    if simulator == "host":
        return None if any(True for _ in toolchains(load_board("host"))) else "no C compiler for this computer found"
    return f"there is no simulator {simulator!r}"


def choose_simulator(board: Board) -> str | None:
    """What proves most: the board's own simulator, else one that can run its firmware, else this computer."""
    order = dict.fromkeys((board.simulator, "unicorn", "qemu", "host"))
    return next((name for name in order if why_not(name, board) is None), None)


def open_machine(simulator: str, board: Board, elf: Elf, count: bool = False) -> Machine:
    """A firmware before its first instruction. Only unicorn can count on the way."""
    reason = why_not(simulator, board)
    if reason or simulator == "host":
        raise CannotMeet(reason or "the host runs no firmware", "`tecompile doctor` tells how to get the simulators")
    return UnicornMachine(board, elf, count) if simulator == "unicorn" else QemuMachine(board, elf)


def open_session(simulator: str, program: Program, board: Board, elf: Elf, count: bool = False) -> MachineSession:
    """A firmware that `Toolchain.build` made, ready to run `program`."""
    machine = open_machine(simulator, board, elf, count)
    try:
        return MachineSession(simulator, program, board, elf, machine)
    except BaseException:
        machine.close()
        raise


@dataclass(frozen=True)
class Outcome:
    """How a firmware's own main ended."""

    status: int
    console: str
    instructions: int | None


def run_firmware(simulator: str, board: Board, elf: Elf, count: bool = False) -> Outcome:
    """From reset to board_exit, as it would run on the board."""
    machine = open_machine(simulator, board, elf, count)
    try:
        machine.run_until({elf.address(END)})
        return Outcome(machine.register("r0"), machine.console, machine.instructions)
    finally:
        machine.close()
