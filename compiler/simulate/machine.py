"""A simulated microcontroller, whichever program simulates it."""

from __future__ import annotations

from collections.abc import Set
from typing import Protocol

from ..errors import CannotMeet
from .blocks import Executed
from .elf import Elf

REGISTERS = (*(f"r{i}" for i in range(13)), "sp", "lr", "pc")
END = "board_exit"  # where firmware ends
TRAP = "Default_Handler"  # where unexpected exceptions end
PATIENCE = 120.0  # seconds without reaching any stop before we call it a hang


class SimulationError(CannotMeet):
    """The firmware did something it must not: a stray access, a fault, a hang."""

    def __init__(self, message: str, console: str = "") -> None:
        said = f"; the firmware said:\n{console.rstrip()}" if console.strip() else ""
        super().__init__(f"{message}{said}", "if main.c and board/ are as generated, please report this with the model")


class Machine(Protocol):
    """One core with its memories, after reset."""

    def read(self, address: int, count: int) -> bytes: ...

    def write(self, address: int, data: bytes) -> None: ...

    def register(self, name: str) -> int: ...

    def set_register(self, name: str, value: int) -> None: ...

    def run_until(self, addresses: Set[int]) -> int:
        """Go on until one of them is reached again, and tell which. Anything else is a SimulationError."""
        ...

    @property
    def console(self) -> str:
        """Everything the firmware has printed."""
        ...

    @property
    def instructions(self) -> int | None:
        """Executed since reset; None if this machine does not count."""
        ...

    def take_executed(self) -> Executed | None:
        """The code that was executed since this was last asked; None if this machine does not count."""
        ...

    def stop_counting(self) -> None:
        """`instructions` is None from now on; what follows may be faster."""
        ...

    def close(self) -> None: ...


def stops(elf: Elf, addresses: Set[int]) -> frozenset[int]:
    """Where to stop in any case: at what was asked for, at the end, at an exception."""
    ends = (elf.find(name) for name in (END, TRAP))
    return frozenset(addresses) | {symbol.address for symbol in ends if symbol}


def unexpected(elf: Elf, machine: Machine, detail: str = "") -> SimulationError:
    """Why the machine stands where nobody asked it to stop."""
    pc = machine.register("pc")
    symbol = elf.find(TRAP)
    if symbol and pc == symbol.address:
        return SimulationError(f"the firmware took an exception{detail}", machine.console)
    symbol = elf.find(END)
    if symbol and pc == symbol.address:
        return SimulationError(f"the firmware ended early, with status {machine.register('r0')}", machine.console)
    return SimulationError(f"the firmware hangs at {elf.describe(pc)}", machine.console)
