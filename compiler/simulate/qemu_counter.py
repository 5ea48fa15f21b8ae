"""Exact instruction counts from QEMU, by a plugin that is built when it is first needed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..backends.program import Program
from ..board import Board, load_board
from ..graph import Op
from ..templating import read_template
from .blocks import CodeBlock, Executed
from .elf import Elf
from .machine import PATIENCE, SimulationError
from .profile import Profile
from .qemu_machine import qemu_command, qemu_version
from .toolchain import find_toolchain

SOURCE = "simulate/qemu_counter.c"
NEWER_API = re.compile(r"minimum version of (\d+)")


@dataclass(frozen=True)
class Count:
    """Calls of a function, and what was executed from its entries to its returns."""

    calls: int
    instructions: int
    executed: Executed = field(default_factory=dict)  # but in others of the functions that are counted


def count_instructions(
    elf: Elf, board: Board, functions: Sequence[str], patience: float = PATIENCE
) -> dict[str, Count]:
    """Run a firmware to its end. The counts are those of the last call of the first function."""
    api = 1 if qemu_version() < (9, 0) else 2
    with tempfile.TemporaryDirectory(prefix="te-") as name:
        folder = Path(name)
        marks = "".join(f"{elf.address(function):x}\n" for function in functions)
        (folder / "marks").write_text(marks, "ascii")
        said = _run(elf, board, folder, api, patience)
        newer = NEWER_API.search(said)
        if newer:
            said = _run(elf, board, folder, int(newer[1]), patience)
        if not (folder / "counts").exists():
            raise SimulationError(f"QEMU did not count: {said.strip() or 'no message'}")
        lines = (folder / "counts").read_text("ascii").splitlines()
    executed = _blocks(elf, lines[len(functions) :])
    numbers = [tuple(map(int, line.split())) for line in lines[: len(functions)]]
    return {f: Count(numbers[i][0], numbers[i][1], executed.get(i, {})) for i, f in enumerate(functions)}


def _blocks(elf: Elf, lines: Sequence[str]) -> Mapping[int, Executed]:
    """By the number of the function; registers are not known."""
    known: dict[tuple[int, int], CodeBlock] = {}
    found: defaultdict[int, Counter[CodeBlock]] = defaultdict(Counter)
    for line in lines:
        function, address, nbytes, times = map(int, line.split())
        block = known.setdefault((address, nbytes), CodeBlock(address, elf.code(address, nbytes), ()))
        found[function][block] += times
    return found


def profile_in_qemu(program: Program, board: Board, elf: Elf) -> Profile:
    """What unicorn's sessions count on the way."""
    functions = [f"{program.name}_run", *(call.function for call in program.calls)]
    counts = count_instructions(elf, board, functions)
    layers = {call.op: counts[call.function].instructions for call in program.calls}
    executed: dict[Op | None, Executed] = {call.op: counts[call.function].executed for call in program.calls}
    executed[None] = counts[functions[0]].executed
    return Profile(counts[functions[0]].instructions, layers, None, executed=executed)


def _run(elf: Elf, board: Board, folder: Path, api: int, patience: float) -> str:
    command = qemu_command(board, elf.path.resolve(), folder / "console")
    plugin = f"file={_plugin(api, folder)},marks={folder / 'marks'},out={folder / 'counts'}"
    try:
        result = subprocess.run(
            [*command, "-plugin", plugin], capture_output=True, text=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        raise SimulationError(f"the firmware does not end within {patience:.0f} s") from None
    return result.stderr


def _plugin(api: int, folder: Path) -> Path:
    """The built plugin, from the user's cache where there is one."""
    source = read_template(SOURCE)
    host = find_toolchain(load_board("host"))
    key = hashlib.sha256(f"{api} {host.name} {source}".encode()).hexdigest()[:16]
    kept = _cache_folder() / f"qemu_counter-{key}.so"
    if kept.exists():
        return kept
    built = host.build_library({"qemu_counter.c": source}, folder / "plugin", [f"TE_PLUGIN_API={api}"])
    with contextlib.suppress(OSError):  # no cache then
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(built, partial := kept.with_suffix(f".{os.getpid()}"))
        partial.replace(kept)
    return built


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tecompile"
