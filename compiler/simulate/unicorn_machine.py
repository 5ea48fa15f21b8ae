"""unicorn: runs a board's own firmware on the board's own memory map, and counts exactly."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Set
from typing import Any

from ..board import Board, load_peripherals
from ..errors import CannotMeet
from .blocks import CodeBlock, Executed, encodings
from .elf import Elf
from .machine import PATIENCE, REGISTERS, SimulationError, stops, unexpected

MODELS: Mapping[str, str] = {
    "cortex-m0plus": "UC_CPU_ARM_CORTEX_M0",
    "cortex-m3": "UC_CPU_ARM_CORTEX_M3",
    "cortex-m4": "UC_CPU_ARM_CORTEX_M4",
    "cortex-m7": "UC_CPU_ARM_CORTEX_M7",
    "cortex-m33": "UC_CPU_ARM_CORTEX_M33",
}
PAGE = 0x1000
SYSTEM_PAGES = (0xE0001000, 0xE000E000)  # DWT; SCS: caches, FPU, vector table
CYCLE_COUNTER = 0xE0001004
EXCEPTION_BKPT = 7
SYS_WRITEC, SYS_WRITE0 = 3, 4


def unicorn_missing() -> str | None:
    """Why unicorn can't be used here; None if it can."""
    return None if importlib.util.find_spec("unicorn") else "unicorn is not installed"


class UnicornMachine:
    """A Machine. Only memories that the firmware occupies exist: anything else faults."""

    def __init__(self, board: Board, elf: Elf, count: bool = False, patience: float = PATIENCE) -> None:
        self._uc_module, self._arm = _import_unicorn()
        if board.core.name not in MODELS:
            raise CannotMeet(f"unicorn does not know the {board.core.name}", "use --verify qemu for this board")
        self._elf, self._patience = elf, patience
        self._console = bytearray()
        self._written: dict[int, int] = {}  # peripheral registers
        self._count: int | None = 0 if count else None
        self._count_at_zero = 0  # of the firmware's own cycle counter
        self._blocks: dict[tuple[int, int], CodeBlock] = {}  # by address and size
        self._executed: dict[CodeBlock, int] = {}  # since they were last taken
        self._fault: str | None = None
        self._exits: frozenset[int] = frozenset()
        self._peripherals = load_peripherals(board)
        self._uc = self._make(board)
        self._map(board)
        self._hook(count)
        self._reset(board)

    def read(self, address: int, count: int) -> bytes:
        try:
            return bytes(self._uc.mem_read(address, count))
        except self._uc_module.UcError:
            raise SimulationError(f"there is no memory of {count} bytes at 0x{address:08x}", self.console) from None

    def write(self, address: int, data: bytes) -> None:
        try:
            self._uc.mem_write(address, data)
        except self._uc_module.UcError:
            raise SimulationError(f"there is no memory of {len(data)} bytes at 0x{address:08x}", self.console) from None

    def register(self, name: str) -> int:
        return int(self._uc.reg_read(self._register(name)))

    def set_register(self, name: str, value: int) -> None:
        self._uc.reg_write(self._register(name), value | 1 if name == "pc" else value)

    def run_until(self, addresses: Set[int]) -> int:
        wanted = stops(self._elf, addresses)
        self._add_exits(wanted)
        while True:
            if self.register("pc") in self._exits:
                self._step()
            self._start(0)
            pc = self.register("pc")
            if pc in addresses:
                return pc
            if pc in wanted or pc not in self._exits:
                raise unexpected(self._elf, self)

    @property
    def console(self) -> str:
        return self._console.decode("utf-8", "replace")

    @property
    def instructions(self) -> int | None:
        return self._count

    def take_executed(self) -> Executed | None:
        taken, self._executed = self._executed, {}
        return None if self._count is None else taken

    def stop_counting(self) -> None:
        if self._count is not None:
            self._count = None
            self._uc.hook_del(self._counter)
            self._uc.ctl_flush_tb()

    def close(self) -> None:
        """Memory goes with the object."""

    def _make(self, board: Board) -> Any:
        unicorn, arm = self._uc_module, self._arm
        uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        uc.ctl_set_cpu_model(getattr(arm, MODELS[board.core.name]))
        uc.ctl_exits_enabled(True)
        return uc

    def _map(self, board: Board) -> None:
        unicorn = self._uc_module
        rights = {"r": unicorn.UC_PROT_READ, "w": unicorn.UC_PROT_WRITE, "x": unicorn.UC_PROT_EXEC}
        used = [*self._elf.sections, *self._elf.load]
        for memory in board.memories:
            if any(memory.origin <= block.address < memory.end for block in used):
                self._uc.mem_map(memory.origin, memory.nbytes, sum(rights[a] for a in memory.attributes))
        for page in (*self._peripherals.pages, *SYSTEM_PAGES):
            self._uc.mmio_map(page, PAGE, self._read_register, page, self._write_register, page)
        for block in self._elf.load:
            self._uc.mem_write(block.address, block.data)

    def _hook(self, count: bool) -> None:
        unicorn = self._uc_module
        self._uc.hook_add(unicorn.UC_HOOK_MEM_INVALID, self._note_fault)
        self._uc.hook_add(unicorn.UC_HOOK_INTR, self._interrupt)
        if count:
            self._counter = self._uc.hook_add(unicorn.UC_HOOK_BLOCK, self._count_block)

    def _reset(self, board: Board) -> None:
        vectors = self.read(board.memory(board.code).origin, 8)
        self.set_register("sp", int.from_bytes(vectors[:4], "little"))
        self.set_register("pc", int.from_bytes(vectors[4:], "little"))

    def _add_exits(self, wanted: frozenset[int]) -> None:
        """Exits are only ever added, and passed over when not wanted: changing them costs all translated code."""
        if not wanted <= self._exits:
            self._exits |= wanted
            self._uc.ctl_set_exits(sorted(self._exits))
            self._uc.ctl_flush_tb()

    def _step(self) -> None:
        """One instruction, at a place where the machine would otherwise stop at once."""
        pc, before, executed = self.register("pc"), self._count, dict(self._executed)
        alone = self._block(pc, len(next(encodings(self.read(pc, 4)))))
        self._uc.ctl_set_exits(sorted(self._exits - {pc}))
        self._uc.ctl_remove_cache(pc, pc + 2)
        self._start(1)
        self._uc.ctl_set_exits(sorted(self._exits))
        self._uc.ctl_remove_cache(pc, pc + 2)
        if before is not None:  # the hook saw the whole block
            self._count, self._executed = before, executed
            self._tally(alone)

    def _start(self, count: int) -> None:
        try:
            self._uc.emu_start(self.register("pc") | 1, 0, timeout=int(self._patience * 1e6), count=count)
        except self._uc_module.UcError as error:
            where = self._elf.describe(self.register("pc"))
            raise SimulationError(f"{self._fault or error} at {where}", self.console) from None
        if self._fault:
            raise SimulationError(self._fault, self.console)

    def _register(self, name: str) -> int:
        assert name in REGISTERS
        return int(getattr(self._arm, f"UC_ARM_REG_{name.upper()}"))

    def _count_block(self, _uc: Any, address: int, size: int, _data: Any) -> None:
        self._tally(self._blocks.get((address, size)) or self._block(address, size))

    def _tally(self, block: CodeBlock) -> None:
        assert self._count is not None
        self._count += block.instructions
        self._executed[block] = self._executed.get(block, 0) + 1

    def _block(self, address: int, size: int) -> CodeBlock:
        found = self._blocks.get((address, size))
        if found is None:
            registers = tuple(map(self.register, REGISTERS[:-1]))
            found = self._blocks[address, size] = CodeBlock(address, self.read(address, size), registers)
        return found

    def _note_fault(self, _uc: Any, access: int, address: int, size: int, _value: int, _data: Any) -> bool:
        unicorn = self._uc_module
        writes = (unicorn.UC_MEM_WRITE_UNMAPPED, unicorn.UC_MEM_WRITE_PROT)
        fetches = (unicorn.UC_MEM_FETCH_UNMAPPED, unicorn.UC_MEM_FETCH_PROT)
        what = "writes" if access in writes else "runs into" if access in fetches else "reads"
        self._fault = f"stray access: the firmware {what} {size} bytes at 0x{address:08x}"
        return False

    def _interrupt(self, uc: Any, number: int, _data: Any) -> None:
        """Semihosting, the console of the QEMU boards; any other exception ends the run."""
        pc = self.register("pc")
        if number != EXCEPTION_BKPT or self.read(pc, 2) != b"\xab\xbe":
            self._fault = f"exception {number} at {self._elf.describe(pc)}"
            uc.emu_stop()
            return
        operation, argument = self.register("r0"), self.register("r1")
        if operation == SYS_WRITEC:
            self._console += self.read(argument, 1)
        elif operation == SYS_WRITE0:
            self._console += self._text(argument)
        self.set_register("pc", pc + 2)

    def _text(self, address: int) -> bytes:
        text = bytearray()
        while (character := self.read(address + len(text), 1)) != b"\0":
            text += character
        return bytes(text)

    def _read_register(self, _uc: Any, offset: int, _size: int, page: int) -> int:
        address = page + offset
        if address == CYCLE_COUNTER:
            return ((self._count or 0) - self._count_at_zero) & 0xFFFFFFFF
        written = self._written.get(address, 0)
        rule = self._peripherals.registers.get(address)
        return rule.read(written) if rule else written

    def _write_register(self, _uc: Any, offset: int, _size: int, value: int, page: int) -> None:
        address = page + offset
        if address == self._peripherals.console:
            self._console.append(value & 0xFF)
        elif address == CYCLE_COUNTER:
            self._count_at_zero = (self._count or 0) - value
        self._written[address] = value


def _import_unicorn() -> tuple[Any, Any]:
    try:
        return importlib.import_module("unicorn"), importlib.import_module("unicorn.arm_const")
    except ImportError as error:
        raise CannotMeet("unicorn is not installed", "pip install tecompile[sim], or use --verify qemu") from error
