"""Building, opening and checking fake models: what the tests here share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tecompile.board import load_board
from tecompile.simulate.elf import read_elf
from tecompile.simulate.host_machine import HostSession, build_host_library
from tecompile.simulate.session import MachineSession, Session
from tecompile.simulate.simulators import open_session, why_not
from tecompile.simulate.toolchain import Toolchain, toolchains
from tecompile.simulate.verify import Verification, verify

from .fake import FakeModel, Layout, fake_model, project, quiet

BOARDS = ("stm32h743", "nucleo-f412zg", "qemu-m4", "qemu-m7", "qemu-m33")
COMPILERS = ("gcc", "zig")
SIMULATORS = ("unicorn", "qemu")


@cache
def compiler(board: str, kind: str) -> Toolchain | None:
    """With warnings as errors: what we generate compiles cleanly."""
    for toolchain in toolchains(load_board(board)):
        if toolchain.name.startswith(kind):
            return replace(toolchain, flags=replace(toolchain.flags, compile=(*toolchain.flags.compile, "-Werror")))
    return None


def require_compiler(board: str, kind: str) -> Toolchain:
    found = compiler(board, kind)
    if found is None:
        pytest.skip(f"no {kind} for {board}")
    return found


def require_simulator(simulator: str, board: str) -> None:
    reason = why_not(simulator, load_board(board))
    if reason:
        pytest.skip(reason)


def build(folder: Path, board: str, kind: str, *models: FakeModel) -> Path:
    """Every firmware once per test session."""
    toolchain = require_compiler(board, kind)
    files = project(load_board(board), *models)
    key = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:16]
    elf = folder / f"{kind}-{key}" / "firmware.elf"
    return elf if elf.exists() else toolchain.build(files, elf.parent)


def opened(simulator: str, model: FakeModel, board: str, elf: Path, count: bool = False) -> MachineSession:
    require_simulator(simulator, board)
    return open_session(simulator, model.program, load_board(board), read_elf(elf), count)


def host_session(folder: Path, model: FakeModel, kind: str = "gcc") -> HostSession:
    library = build_host_library(model.program, model.files, require_compiler("host", kind), folder)
    return HostSession(model.program, library)


def check(model: FakeModel, session: Session, poison: bool = True) -> Verification:
    frames = model.frames()
    try:
        return verify(model.program, session, frames, model.expected(frames), poison)
    finally:
        session.close()


def check_faulty(
    folder: Path, simulator: str, fault: int, poison: bool = True, layout: Layout | None = None
) -> Verification:
    """What verification says of a kernel or plan with a planted mistake."""
    model = quiet(fake_model(load_board("qemu-m7"), fault=fault, layout=layout))
    elf = build(folder, "qemu-m7", "gcc", model)
    return check(model, opened(simulator, model, "qemu-m7", elf), poison)


def write(files: Mapping[str, str], where: Path) -> None:
    for path, text in files.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_text(text, "utf-8")
