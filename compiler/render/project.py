"""Firmware projects around generated models: start-up code, linker script, build files, an example main."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from ..backends.program import Program
from ..board import Board
from ..errors import CannotMeet, InternalError
from ..templating import read_template, render
from .flags import gcc_flags, host_flags, zig_flags

STACK_BYTES = 4096

Files: TypeAlias = dict[str, str]
Context: TypeAlias = Mapping[str, Any]  # what the templates see


def render_project(
    kind: str, programs: Sequence[Program], board: Board, model_files: Mapping[str, bytes | str]
) -> dict[str, str]:
    """All files of a project of that kind; the models of `programs` run one after the other in it."""
    if kind not in KINDS:
        raise CannotMeet(f"no project of kind {kind!r} can be written", f"choose one of {', '.join(KINDS)}")
    context = _context(kind, programs, board, model_files)
    files = {f"model/{path}": _text(content) for path, content in model_files.items()}
    return files | KINDS[kind](context) | {"README.md": render("project/README.md.j2", **context)}


def _context(kind: str, programs: Sequence[Program], board: Board, model_files: Mapping[str, object]) -> Context:
    arena = _arena(programs, board)
    users = [[p.name for p in programs if i < max(1, len(p.plan.regions))] for i in range(len(arena))]
    return {
        "kind": kind,
        "board": board,
        "programs": programs,
        "models": [program.name for program in programs],
        "tested": [program.name for program in programs if f"{program.name}_selftest.c" in model_files],
        "arena": arena,
        "arena_users": users,
        "stack_bytes": STACK_BYTES,
        "flags": host_flags() if board.is_host else gcc_flags(board),
        "zig": None if board.is_host else zig_flags(board),
    }


def _arena(programs: Sequence[Program], board: Board) -> list[str]:
    """The memory of each region; several models share the regions, so they must agree."""
    longest = max((p.plan.regions for p in programs), key=len, default=())
    memories = [region.memory for region in longest] or [board.arena[0]]
    for program in programs:
        if any(region.memory != memory for region, memory in zip(program.plan.regions, memories, strict=False)):
            raise InternalError(f"{program.name} is planned for other memories than the models beside it")
    return memories


def _make(context: Context) -> Files:
    return {**_firmware(context), "Makefile": render("project/Makefile.j2", **context)}


def _cmake(context: Context) -> Files:
    files = {
        **_firmware(context),
        "CMakeLists.txt": render("project/CMakeLists.txt.j2", **context),
        "CMakePresets.json": render("project/CMakePresets.json.j2", **context),
    }
    if not context["board"].is_host:
        files["cmake/arm-none-eabi.cmake"] = render("project/arm-none-eabi.cmake.j2", **context)
    return files


def _sources(_context: Context) -> Files:
    return {}


def _firmware(context: Context) -> Files:
    """Everything but the model and the build files: what turns it into a program."""
    board = context["board"]
    files = {
        "src/main.c": render("project/main.c.j2", **context),
        "board/board.h": read_template("project/board/board.h"),
        "board/board.c": read_template(f"project/board/{board.family}.c"),
    }
    if not board.is_host:
        files["board/startup.c"] = render("project/board/startup.c.j2", **context)
        files["link.ld"] = render("project/link.ld.j2", **context)
    if "uart" in board.facts:
        files["board/stm32.h"] = read_template("project/board/stm32.h")
        files["board/chip.h"] = render("project/board/chip.h.j2", **context)
    return files


def _text(content: bytes | str) -> str:
    return content if isinstance(content, str) else content.decode("utf-8")


KINDS: Mapping[str, Callable[[Context], Files]] = {"cmake": _cmake, "make": _make, "sources": _sources}
