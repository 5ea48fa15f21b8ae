"""Finds C compilers and calls them; a build says readably why it failed."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..board import Board
from ..errors import CannotMeet
from ..render.flags import Flags, gcc_flags, host_flags, zig_flags

Files = Mapping[str, str | bytes]
ARM_GCC = "arm-none-eabi-gcc"
ZIG = (sys.executable, "-m", "ziglang", "cc")
INCLUDES = ("src", "board", "model")
JOBS = 2
QUOTED_LINES = 6


@dataclass(frozen=True)
class Toolchain:
    """One compiler with the flags for one board."""

    name: str  # "gcc 12.2", "zig 0.17 (clang 22)"
    command: tuple[str, ...]
    flags: Flags

    def build(self, files: Files, folder: Path) -> Path:
        """Write a project's files to `folder` and build the firmware there."""
        write_files(files, folder)
        objects = self._compile(files, folder, ())
        script = ("-T", "link.ld") if "link.ld" in files else ()
        return self._link(folder, [*objects, *script], "firmware.elf")

    def build_library(self, files: Files, folder: Path, defines: Sequence[str]) -> Path:
        """The same for a library that this process can load."""
        write_files(files, folder)
        objects = self._compile(files, folder, ("-fPIC", *(f"-D{define}" for define in defines)))
        return self._link(folder, [*objects, "-shared"], "model.so")

    def _compile(self, files: Files, folder: Path, extra: Sequence[str]) -> list[str]:
        arm = bool(self.flags.cpu)
        sources = sorted(path for path in files if path.endswith((".c", ".S") if arm else ".c"))
        (folder / "objects").mkdir(exist_ok=True)
        objects = [f"objects/{source.replace('/', '_')}.o" for source in sources]
        includes = [f"-I{path}" for path in INCLUDES if (folder / path).is_dir()]
        shared = [*self.command, *self.flags.cpu, *self.flags.compile, *extra, *includes]
        commands = [[*shared, "-c", s, "-o", o] for s, o in zip(sources, objects, strict=True)]
        with ThreadPoolExecutor(JOBS) as pool:
            for source, result in zip(sources, pool.map(lambda c: _call(c, folder), commands), strict=True):
                if result.returncode:
                    raise _compile_error(self.name, source, result.stderr)
        return objects

    def _link(self, folder: Path, arguments: Sequence[str], output: str) -> Path:
        result = _call([*self.command, *self.flags.cpu, *arguments, *self.flags.link, "-o", output], folder)
        if result.returncode:
            raise _link_error(self.name, result.stderr)
        return folder / output


def find_toolchain(board: Board) -> Toolchain:
    """The best compiler found for the board."""
    for toolchain in toolchains(board):
        return toolchain
    if board.is_host:
        raise CannotMeet(
            "no C compiler found", "install one (apt install gcc), or `pip install tecompile[sim]` for zig"
        )
    raise CannotMeet(
        f"no C compiler found for {board.core.name}",
        "install arm-none-eabi-gcc (apt install gcc-arm-none-eabi), or `pip install tecompile[sim]` for zig",
    )


def toolchains(board: Board) -> Iterator[Toolchain]:
    """Every compiler found for the board, best first."""
    names = ("cc", "gcc", "clang") if board.is_host else (ARM_GCC,)
    flags = host_flags() if board.is_host else gcc_flags(board)
    found = {_compiler_version(path): path for path in reversed([*filter(None, map(shutil.which, names))])}
    yield from (Toolchain(name, (path,), flags) for name, path in reversed(found.items()))
    if importlib.util.find_spec("ziglang"):
        yield Toolchain(_zig_version(), ZIG, host_flags(zig=True) if board.is_host else zig_flags(board))


def write_files(files: Files, folder: Path) -> None:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def _call(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)


@cache
def _compiler_version(path: str) -> str:
    """`gcc 12.2` or `clang 16.0`."""
    text = _call([path, "--version"], Path()).stdout
    found = re.search(r"(\d+)\.(\d+)", re.sub(r"\(.*?\)", "", text.partition("\n")[0]))
    family = "clang" if "clang" in text else "gcc"
    return f"{family} {'.'.join(found.groups())}" if found else family


@cache
def _zig_version() -> str:
    """`zig 0.17 (clang 22)`."""
    zig = ".".join(_call([*ZIG[:3], "version"], Path()).stdout.split(".")[:2])
    clang = re.search(r"clang version (\d+)", _call([*ZIG, "--version"], Path()).stdout)
    return f"zig {zig} (clang {clang[1]})" if clang else f"zig {zig}"


def _compile_error(name: str, source: str, stderr: str) -> CannotMeet:
    return CannotMeet(f"{name} can't compile {source}:\n{_first_lines(stderr)}", _REPORT)


def _link_error(name: str, stderr: str) -> CannotMeet:
    """GNU ld and lld word an overflow alike: `... region `FLASH' ... overflowed by 1234 bytes`."""
    full = re.findall(r"region [`']?(\w+)'?:? ?(?:is )?overflowed by (\d+) bytes", stderr)
    if not full:
        return CannotMeet(f"{name} can't link the firmware:\n{_first_lines(stderr)}", _REPORT)
    worst = {memory: max(int(n) for m, n in full if m == memory) for memory, _ in full}
    what = ", ".join(f"{memory} by {excess:,} bytes" for memory, excess in worst.items())
    return CannotMeet(
        f"the firmware does not fit: it exceeds {what}",
        "try --optimize ram or --optimize size, a smaller network, or a board with more memory",
    )


_REPORT = "if the file is as tecompile wrote it, this is a bug: please report it with the model"


def _first_lines(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"  {line}" for line in lines[:QUOTED_LINES])
