"""Which simulators are here, which one suits a board, and a session on it."""

from __future__ import annotations

from pathlib import Path

from ..backends.program import Program
from ..board import Board
from ..errors import CannotMeet
from .elf import read_elf
from .machine import Machine
from .qemu_machine import QemuMachine, qemu_missing
from .session import MachineSession
from .unicorn_machine import MODELS, UnicornMachine, unicorn_missing


def why_not(simulator: str, board: Board) -> str | None:
    """Why this simulator can't run this board's firmware here; None if it can."""
    if simulator == "unicorn":
        known = None if board.core.name in MODELS else f"unicorn does not know the {board.core.name}"
        return known or unicorn_missing()
    if simulator == "qemu":
        known = None if board.machine else f"QEMU has no machine for {board.name}"
        return known or qemu_missing()
    return f"there is no simulator {simulator!r}"


def choose_simulator(board: Board) -> str | None:
    """The board's own simulator if it is here, else another that can run the firmware, else None."""
    order = dict.fromkeys((board.simulator, "unicorn", "qemu"))
    return next((name for name in order if why_not(name, board) is None), None)


def open_session(simulator: str, program: Program, board: Board, elf: Path, count: bool = False) -> MachineSession:
    """A firmware that `Toolchain.build` made, ready to run `program`. Only unicorn can count on the way."""
    reason = why_not(simulator, board)
    if reason:
        raise CannotMeet(reason, "`tecompile doctor` tells how to get the simulators")
    firmware = read_elf(elf)
    machine: Machine = UnicornMachine(board, firmware, count) if simulator == "unicorn" else QemuMachine(board, firmware)
    try:
        return MachineSession(simulator, program, board, firmware, machine)
    except BaseException:
        machine.close()
        raise
