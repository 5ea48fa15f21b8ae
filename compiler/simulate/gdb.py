"""The few words of GDB's remote protocol that a simulator needs to be driven."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

from .machine import SimulationError

CHUNK = 1024  # bytes of memory per packet: half of QEMU's packet size in hex
BATCH = 16  # packets on the way: what socket buffers hold in any case
INTERRUPT = b"\x03"


class GdbError(SimulationError):
    """The other side refused, vanished or did not answer in time."""


class GdbClient:
    """One connection, without acknowledgements."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""
        self._acknowledged = True
        self.ask("QStartNoAckMode")
        self._acknowledged = False
        self.ask("qXfer:features:read:target.xml:0,ff")  # QEMU serves single registers only after this

    def ask(self, command: str) -> str:
        """Send one packet and return the answer's text."""
        self.send(command)
        return self.receive()

    def send(self, command: str) -> None:
        data = command.encode("ascii")
        try:
            self._socket.sendall(b"$%b#%02x" % (data, sum(data) & 0xFF))
        except OSError as error:
            raise GdbError(str(error)) from error

    def receive(self) -> str:
        while b"#" not in self._buffer or len(self._buffer) < self._buffer.index(b"#") + 3:
            self._fill()
        packet, _, rest = self._buffer.partition(b"#")
        self._buffer = rest[2:]
        if self._acknowledged:
            self._socket.sendall(b"+")
        return packet[packet.rindex(b"$") + 1 :].decode("ascii")

    def ask_all(self, commands: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Commands with their answers; several are on the way at once, which is three times faster."""
        for batch in (commands[i : i + BATCH] for i in range(0, len(commands), BATCH)):
            for command in batch:
                self.send(command)
            for command in batch:
                yield command, self.receive()

    def expect_ok(self, commands: Sequence[str]) -> None:
        for command, answer in self.ask_all(commands):
            if answer != "OK":
                raise GdbError(f"{command.split(':')[0]} was answered {answer!r}")

    def expect_data(self, commands: Sequence[str]) -> bytes:
        data = b""
        for command, answer in self.ask_all(commands):
            if not answer or answer.startswith("E"):
                raise GdbError(f"{command} was answered {answer!r}")
            data += bytes.fromhex(answer)
        return data

    def read(self, address: int, count: int) -> bytes:
        return self.expect_data([f"m{at:x},{n:x}" for at, n in _chunks(address, count)])

    def write(self, address: int, data: bytes) -> None:
        parts = ((at, data[at - address :][:n]) for at, n in _chunks(address, len(data)))
        self.expect_ok([f"M{at:x},{len(part):x}:{part.hex()}" for at, part in parts])

    def register(self, number: int) -> int:
        return int.from_bytes(self.expect_data([f"p{number:x}"]), "little")

    def set_register(self, number: int, value: int) -> None:
        self.expect_ok([f"P{number:x}={value.to_bytes(4, 'little').hex()}"])

    def resume(self, command: str, patience: float) -> str:
        """Continue or step, until the target reports a stop."""
        self._socket.settimeout(patience)
        return self.ask(command)

    def interrupt(self) -> str:
        self._socket.sendall(INTERRUPT)
        return self.receive()

    def close(self) -> None:
        self._socket.close()

    def _fill(self) -> None:
        try:
            received = self._socket.recv(65536)
        except TimeoutError as error:
            raise TimeoutError("no stop in time") from error
        except OSError as error:
            raise GdbError(str(error)) from error
        if not received:
            raise GdbError("the simulator ended")
        self._buffer += received


def _chunks(address: int, count: int) -> Iterator[tuple[int, int]]:
    for start in range(address, address + count, CHUNK):
        yield start, min(CHUNK, address + count - start)
