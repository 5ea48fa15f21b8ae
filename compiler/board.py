"""What a machine is: its core, its memories, and how it is built for and simulated.

Boards are TOML files in boards/; nothing in Python knows a board by name.
"""

from __future__ import annotations

import difflib
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from .errors import InternalError, InvalidInput


@dataclass(frozen=True)
class Core:
    """An instruction set as compilers and simulators name it."""

    name: str
    gcc: tuple[str, ...]  # -mcpu, -mthumb
    zig: str  # base of zig's -mcpu
    dsp: bool  # SMLAD and friends: our assembly kernels need them
    mve: bool = False


CORES: Mapping[str, Core] = {
    core.name: core
    for core in (
        Core("cortex-m0plus", ("-mcpu=cortex-m0plus", "-mthumb"), "cortex_m0plus", dsp=False),
        Core("cortex-m3", ("-mcpu=cortex-m3", "-mthumb"), "cortex_m3", dsp=False),
        Core("cortex-m4", ("-mcpu=cortex-m4", "-mthumb"), "cortex_m4", dsp=True),
        Core("cortex-m7", ("-mcpu=cortex-m7", "-mthumb"), "cortex_m7", dsp=True),
        Core("cortex-m33", ("-mcpu=cortex-m33", "-mthumb"), "cortex_m33+dsp", dsp=True),
        Core("cortex-m55", ("-mcpu=cortex-m55", "-mthumb"), "cortex_m55+mve", dsp=True, mve=True),
        Core("host", (), "", dsp=False),
    )
}


@dataclass(frozen=True)
class Memory:
    """One contiguous memory of the chip."""

    name: str
    origin: int
    nbytes: int
    attributes: str  # as in linker scripts: "rx", "rw", "rwx"
    wait_states: int = 0  # cycles that a read of one line takes longer than of SRAM
    line_bytes: int = 4  # that one read of it brings

    @property
    def end(self) -> int:
        return self.origin + self.nbytes


@dataclass(frozen=True)
class Board:
    """A board or chip as its TOML file states it; `facts` holds what only templates read."""

    name: str
    title: str
    aliases: tuple[str, ...]
    chip: str
    family: str  # selects the bring-up template: stm32h7, stm32f4, qemu, host
    core: Core
    fpu: str  # gcc's -mfpu, or "" for none
    mhz: int
    memories: tuple[Memory, ...]
    code: str  # memory names: where code and weights, the arena, and data plus stack go
    arena: tuple[str, ...]
    data: str
    stack: str
    simulator: str  # unicorn, qemu, host or none
    machine: str  # QEMU's -M
    projects: tuple[str, ...]  # kinds that suit, the default one first
    data_cache: int = 0  # bytes; 0 for none, or for memories that need none
    dma_alignment: int = 1  # of input buffers: a cache line where a D-cache and DMA meet
    facts: Mapping[str, Any] = field(default_factory=dict)

    def memory(self, name: str) -> Memory:
        for memory in self.memories:
            if memory.name == name:
                return memory
        raise InternalError(f"board {self.name} has no memory {name}")

    @property
    def arena_alignment(self) -> int:
        return max(8, self.dma_alignment)

    @property
    def is_host(self) -> bool:
        return self.family == "host"


@dataclass(frozen=True)
class SimulatedRegister:
    """How a status register answers: bits always set, and (mask, shift) copies of what was written."""

    address: int
    ones: int
    copies: tuple[tuple[int, int], ...]

    def read(self, written: int) -> int:
        value = written
        for mask, shift in self.copies:
            value = value & ~(mask << shift) | (written & mask) << shift
        return value | self.ones


@dataclass(frozen=True)
class Peripherals:
    """What a simulator must stand in for, so that a family's start-up code runs: boards/families/."""

    pages: tuple[int, ...]  # addresses of 4 KiB
    registers: Mapping[int, SimulatedRegister]
    console: int | None  # where characters are written


def load_peripherals(board: Board) -> Peripherals:
    file = resources.files(f"{__package__}.boards") / "families" / f"{board.family}.toml"
    data = tomllib.loads(file.read_text("utf-8"))
    registers = [
        SimulatedRegister(r["address"], r.get("ones", 0), tuple((mask, shift) for mask, shift in r.get("copies", ())))
        for r in data.get("register", ())
    ]
    pages, console = set(data["pages"]), None
    if "uart" in board.facts:
        base, uart = board.facts["uart"]["base"], data["uart"]
        registers.append(SimulatedRegister(base + uart["status"], uart["ready"], ()))
        pages.add(base & ~0xFFF)
        console = base + uart["data"]
    return Peripherals(tuple(sorted(pages)), {r.address: r for r in registers}, console)


def fit(board: Board, regions: Mapping[str, int], flash_bytes: int, ram_bytes: int) -> list[str]:
    """Why a firmware would not fit, readably; empty if it does.

    `regions` are arena bytes by memory, `ram_bytes` what data, .bss and stack take besides.
    """
    needs = Counter(regions)
    needs[board.data] += ram_bytes
    needs[board.code] += flash_bytes
    return [
        f"needs {_kib(nbytes)} of {name}, {board.title} has {_kib(board.memory(name).nbytes)}"
        for name, nbytes in needs.items()
        if nbytes > board.memory(name).nbytes
    ]


def load_board(name: str) -> Board:
    """The board of that name or alias (case and _/- do not matter)."""
    wanted = _normal(name)
    known = {_normal(key): board for board in all_boards() for key in (board.name, *board.aliases)}
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    raise InvalidInput(f"unknown board {name!r}", f"{guess}`tecompile boards` lists all of them")


@cache
def all_boards() -> tuple[Board, ...]:
    folder = resources.files(f"{__package__}.boards")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return tuple(parse_board(f.name.removesuffix(".toml"), f.read_text("utf-8")) for f in files)


def parse_board(name: str, text: str) -> Board:
    data = tomllib.loads(text)
    memories = tuple(map(_memory, data.pop("memory")))
    return Board(
        name=name,
        title=data.pop("title"),
        aliases=tuple(data.pop("aliases", ())),
        chip=data.pop("chip"),
        family=data.pop("family"),
        core=CORES[data.pop("core")],
        fpu=data.pop("fpu", ""),
        mhz=data.pop("mhz"),
        memories=memories,
        code=data.pop("code"),
        arena=tuple(data.pop("arena")),
        data=data.pop("data"),
        stack=data.pop("stack"),
        simulator=data.pop("simulator"),
        machine=data.pop("machine", ""),
        projects=tuple(data.pop("projects")),
        data_cache=data.pop("data_cache_kib", 0) * 1024,
        dma_alignment=data.pop("dma_alignment", 1),
        facts=data,
    )


def _memory(data: Mapping[str, Any]) -> Memory:
    costs = {key: data[key] for key in ("wait_states", "line_bytes") if key in data}
    return Memory(data["name"], data["origin"], data["kib"] * 1024, data.get("attributes", "rw"), **costs)


def _kib(nbytes: int) -> str:
    return f"{nbytes:,} bytes" if nbytes < 1024 else f"{nbytes / 1024:,.1f} KiB".replace(".0 KiB", " KiB")


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
