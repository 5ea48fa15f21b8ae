"""QEMU, stopped and inspected through its GDB server. Unlike unicorn it faults on unaligned LDRD and LDM."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence, Set
from functools import cache
from pathlib import Path

from ..board import Board
from ..errors import CannotMeet
from .elf import Elf
from .gdb import GdbClient, GdbError
from .machine import PATIENCE, REGISTERS, TRAP, SimulationError, stops, unexpected

PROGRAM = "qemu-system-arm"
START_SECONDS = 20.0
FAULT_STATUS, FAULT_ADDRESS = 0xE000ED28, 0xE000ED38  # CFSR, BFAR
STACKED_PC = 24


def qemu_missing() -> str | None:
    """Why QEMU can't be used here; None if it can."""
    return None if shutil.which(PROGRAM) else f"{PROGRAM} is not on the PATH"


@cache
def qemu_version() -> tuple[int, int]:
    text = subprocess.run([require_qemu(), "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def require_qemu() -> str:
    path = shutil.which(PROGRAM)
    if path is None:
        raise CannotMeet(
            f"{PROGRAM} is not on the PATH", "install it (apt install qemu-system-arm), or use --verify unicorn"
        )
    return path


def qemu_command(board: Board, elf: Path, console: Path) -> list[str]:
    """Run the firmware without a window; what it prints through semihosting goes to a file."""
    if not board.machine:
        raise CannotMeet(f"QEMU has no machine for {board.name}", "use --verify unicorn for this board")
    quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
    semihosting = ["-chardev", f"file,id=console,path={console}"]
    semihosting += ["-semihosting-config", "enable=on,target=native,chardev=console"]
    return [require_qemu(), "-M", board.machine, "-kernel", str(elf), *quiet, *semihosting]


class QemuMachine:
    """A Machine; it does not count instructions (see qemu_counter)."""

    def __init__(self, board: Board, elf: Elf, patience: float = PATIENCE) -> None:
        self._elf, self._patience = elf, patience
        self._folder = tempfile.TemporaryDirectory(prefix="te-")
        self._console = Path(self._folder.name) / "console"
        self._breakpoints: frozenset[int] = frozenset()
        command = qemu_command(board, elf.path, self._console)
        server, address = _gdb_server(Path(self._folder.name))
        self._process = subprocess.Popen(
            [*command, "-S", *server], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            self._gdb = GdbClient(_connect(address, self._process))
        except BaseException:
            self._stop()
            raise

    def read(self, address: int, count: int) -> bytes:
        return self._gdb.read(address, count)

    def write(self, address: int, data: bytes) -> None:
        self._gdb.write(address, data)

    def register(self, name: str) -> int:
        return self._gdb.register(REGISTERS.index(name))

    def set_register(self, name: str, value: int) -> None:
        self._gdb.set_register(REGISTERS.index(name), value)

    def run_until(self, addresses: Set[int]) -> int:
        wanted = stops(self._elf, addresses)
        self._set_breakpoints(wanted)
        try:
            if self.register("pc") in wanted:
                self._gdb.resume("s", self._patience)
            if self.register("pc") not in wanted:
                self._gdb.resume("c", self._patience)
        except TimeoutError:
            self._gdb.interrupt()
        except GdbError as error:
            raise SimulationError(f"QEMU ended: {self._last_words() or error}", self.console) from None
        pc = self.register("pc")
        if pc not in addresses:
            raise unexpected(self._elf, self, self._fault_detail(pc))
        return pc

    @property
    def console(self) -> str:
        return self._console.read_text("utf-8", "replace") if self._console.exists() else ""

    @property
    def instructions(self) -> int | None:
        return None

    def take_executed(self) -> None:
        return None

    def stop_counting(self) -> None:
        """It does not count anyway."""

    def close(self) -> None:
        self._gdb.close()
        self._stop()

    def _set_breakpoints(self, wanted: frozenset[int]) -> None:
        """Exactly these: QEMU is slow on pages that hold a breakpoint."""
        gone, new = self._breakpoints - wanted, wanted - self._breakpoints
        self._gdb.expect_ok([*(f"z0,{address:x},2" for address in gone), *(f"Z0,{address:x},2" for address in new)])
        self._breakpoints = wanted

    def _fault_detail(self, pc: int) -> str:
        symbol = self._elf.find(TRAP)
        if symbol is None or pc != symbol.address:
            return ""
        status, address = (int.from_bytes(self.read(a, 4), "little") for a in (FAULT_STATUS, FAULT_ADDRESS))
        where = int.from_bytes(self.read(self.register("sp") + STACKED_PC, 4), "little")
        return f" at {self._elf.describe(where)} (CFSR 0x{status:08x}, BFAR 0x{address:08x})"

    def _last_words(self) -> str:
        assert self._process.stderr is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
            lines = self._process.stderr.read().decode("utf-8", "replace").strip().splitlines()
            return lines[0] if lines else ""
        return ""

    def _stop(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()


def _gdb_server(folder: Path) -> tuple[Sequence[str], str | tuple[str, int]]:
    """A local socket where there are some, else a loopback port that was free a moment ago."""
    if hasattr(socket, "AF_UNIX"):
        path = str(folder / "gdb")
        return ["-chardev", f"socket,id=gdb,path={path},server=on,wait=off", "-gdb", "chardev:gdb"], path
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    return ["-gdb", f"tcp:127.0.0.1:{port}"], ("127.0.0.1", port)


def _connect(address: str | tuple[str, int], process: subprocess.Popen[bytes]) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    while True:
        client = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        try:
            client.connect(address)
            return client
        except OSError as error:
            client.close()
            if process.poll() is not None:
                assert process.stderr is not None
                raise SimulationError(
                    f"QEMU does not start: {process.stderr.read().decode(errors='replace')}"
                ) from error
            if time.monotonic() > deadline:
                raise SimulationError("QEMU does not open its debug port") from error
            time.sleep(0.01)
