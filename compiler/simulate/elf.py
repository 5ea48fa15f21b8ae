"""What a linked firmware contains: symbols, what to load where, and how big the model's part of it is."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import CannotMeet, InternalError

SHF_ALLOC = 2
KINDS = ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE")


@dataclass(frozen=True)
class Symbol:
    """A function or object; `file` is the source of a local symbol."""

    name: str
    address: int
    nbytes: int
    is_function: bool
    section: str
    file: str

    @property
    def end(self) -> int:
        return self.address + self.nbytes


@dataclass(frozen=True)
class Block:
    """A section in memory, or a segment to load."""

    name: str
    address: int
    nbytes: int
    data: bytes = b""

    @property
    def end(self) -> int:
        return self.address + self.nbytes


@dataclass(frozen=True)
class Elf:
    """A linked firmware."""

    path: Path
    symbols: tuple[Symbol, ...]  # by address
    load: tuple[Block, ...]  # at their load addresses
    sections: tuple[Block, ...]  # that occupy memory at run time, by address

    def find(self, name: str) -> Symbol | None:
        """The symbol of that name, or a compiler's variant of it (`name.constprop.0`)."""
        return self._named.get(name) or next((s for s in self.symbols if s.name.startswith(f"{name}.")), None)

    def address(self, name: str) -> int:
        symbol = self.find(name)
        if symbol is None:
            raise InternalError(f"{self.path.name} has no symbol {name}")
        return symbol.address

    def code(self, address: int, nbytes: int) -> bytes:
        """Of code that runs where it is loaded to."""
        for block in self.load:
            if block.address <= address < block.end:
                return block.data[address - block.address :][:nbytes]
        raise InternalError(f"{self.path.name} has no code at 0x{address:08x}")

    def describe(self, address: int) -> str:
        """`0x08000123 (te_conv2d + 0x12)`, as messages name an address."""
        index = bisect_right([f.address for f in self._functions], address) - 1
        if index < 0 or address >= self._functions[index].end:
            return f"0x{address:08x}"
        return f"0x{address:08x} ({self._functions[index].name} + 0x{address - self._functions[index].address:x})"

    @cached_property
    def _named(self) -> Mapping[str, Symbol]:
        return {s.name: s for s in reversed(self.symbols)}

    @cached_property
    def _functions(self) -> list[Symbol]:
        return [s for s in self.symbols if s.is_function]


@dataclass(frozen=True)
class Sizes:
    """What a model and its kernels take; start-up code and the example main are not counted."""

    code_bytes: int
    constant_bytes: int
    data_bytes: int  # initialised: counts in flash and in RAM
    bss_bytes: int  # the arena is not in here

    @property
    def flash_bytes(self) -> int:
        return self.code_bytes + self.constant_bytes + self.data_bytes

    @property
    def static_bytes(self) -> int:
        return self.data_bytes + self.bss_bytes


def read_elf(path: Path) -> Elf:
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError as error:
        raise CannotMeet("pyelftools is not installed", "pip install tecompile[sim]") from error
    with path.open("rb") as stream:
        file = ELFFile(stream)
        symbols = sorted(_symbols(file), key=lambda s: (s.address, -s.nbytes))
        load = tuple(
            Block("", s["p_paddr"], s["p_filesz"], s.data())
            for s in file.iter_segments()
            if s["p_type"] == "PT_LOAD" and s["p_filesz"]
        )
        sections = sorted(_sections(file), key=lambda b: b.address)
    return Elf(path, tuple(_with_sizes(symbols, sections)), load, tuple(sections))


def model_sizes(elf: Elf, model: str, assembly: Collection[str] = ()) -> Sizes:
    """By symbol: everything named after the model or one of its kernels in assembly, or local to its file.

    Kernels in C are inlined or local, those in assembly may be shared: each model of a firmware counts its own.
    """
    sizes: Counter[str] = Counter()
    counted: set[int] = set()
    for symbol in elf.symbols:
        if (symbol.name in assembly or _belongs(symbol, model)) and symbol.address not in counted:
            counted.add(symbol.address)
            sizes["code" if symbol.is_function else symbol.section] += symbol.nbytes
    constants = sum(nbytes for section, nbytes in sizes.items() if section in (".text", ".rodata"))
    return Sizes(sizes["code"], constants, sizes[".data"], sizes[".bss"])


def _sections(file: Any) -> Iterator[Block]:
    for section in file.iter_sections():
        if section["sh_flags"] & SHF_ALLOC and section["sh_size"]:
            yield Block(section.name, section["sh_addr"], section["sh_size"])


def _symbols(file: Any) -> Iterator[Symbol]:
    table, source = file.get_section_by_name(".symtab"), ""
    if table is None:
        raise InternalError("the firmware was linked without symbols")
    for entry in table.iter_symbols():
        kind, local = entry["st_info"]["type"], entry["st_info"]["bind"] == "STB_LOCAL"
        if kind == "STT_FILE":
            source = entry.name
        elif kind in KINDS and isinstance(entry["st_shndx"], int) and not entry.name.startswith("$"):
            yield _symbol(file, entry, kind == "STT_FUNC", source if local else "")


def _symbol(file: Any, entry: Any, is_function: bool, source: str) -> Symbol:
    section = file.get_section(entry["st_shndx"]).name
    address = entry["st_value"] & ~1 if is_function else entry["st_value"]
    return Symbol(entry.name, address, entry["st_size"], is_function, section, source)


def _with_sizes(symbols: Sequence[Symbol], sections: Sequence[Block]) -> Iterator[Symbol]:
    """Assembly without .size directives: a function ends where the next one or its section does."""
    starts = sorted({s.address for s in symbols})
    for symbol in symbols:
        if symbol.nbytes or not symbol.is_function:
            yield symbol
            continue
        ends = [b.end for b in sections if b.address <= symbol.address < b.end]
        following = starts[bisect_right(starts, symbol.address) :][:1]
        yield replace(symbol, nbytes=min([*ends, *following], default=symbol.address) - symbol.address)


def _belongs(symbol: Symbol, model: str) -> bool:
    """Self-test and check of the weights are left out, with what is local to them: they are there only if main asks."""
    if symbol.name in (f"{model}_selftest", f"{model}_check_weights"):
        return False
    if symbol.file in (f"{model}_selftest.c", f"{model}_weights.c"):
        return False
    return symbol.name.startswith(f"{model}_") or symbol.file.startswith((f"{model}.", f"{model}_"))
