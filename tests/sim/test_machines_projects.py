"""Projects: their own build files work, give what our build gives, and failures are readable."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tecompile.board import load_board
from tecompile.errors import CannotMeet
from tecompile.simulate.elf import Elf, read_elf
from tecompile.simulate.toolchain import find_toolchain

from .fake import Layout, fake_model, project
from .firmware import COMPILERS, require_compiler, write

pytestmark = pytest.mark.sim


def run(command: str, where: Path) -> subprocess.CompletedProcess[str]:
    if not shutil.which(command.split()[0]):
        pytest.skip(f"no {command.split()[0]}")
    done = subprocess.run(command.split(), cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stdout + done.stderr
    return done


def sections(elf: Elf) -> list[tuple[str, int]]:
    return [(section.name, section.nbytes) for section in elf.sections]


@pytest.mark.parametrize(
    ("kind", "commands"),
    [("make", ["make -j2"]), ("cmake", ["cmake --preset default", "cmake --build --preset default -j2"])],
)
def test_build_files_give_what_our_build_gives(tmp_path: Path, kind: str, commands: list[str]) -> None:
    board = load_board("stm32h743")
    files = project(board, fake_model(board), kind=kind)
    write(files, tmp_path / "theirs")
    for command in commands:
        run(command, tmp_path / "theirs")
    ours = require_compiler("stm32h743", "gcc").build(files, tmp_path / "ours")
    theirs = tmp_path / "theirs" / "build" / "firmware.elf"
    assert sections(read_elf(theirs)) == sections(read_elf(ours))


def test_make_with_zig(tmp_path: Path) -> None:
    board = load_board("stm32h743")
    zig = require_compiler("stm32h743", "zig").command
    write(project(board, fake_model(board)), tmp_path)
    done = subprocess.run(
        ["make", "TOOLCHAIN=zig", f"ZIG={' '.join(zig[:-1])}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("board", ["host", "qemu-m33"])
def test_make_run(tmp_path: Path, board: str) -> None:
    if board != "host" and not shutil.which("qemu-system-arm"):
        pytest.skip("no QEMU")
    write(project(load_board(board), fake_model(load_board(board))), tmp_path)
    done = run("make run", tmp_path)
    assert "fake_selftest: ok" in done.stdout + done.stderr


@pytest.mark.parametrize("kind", COMPILERS)
def test_what_does_not_fit_is_said_readably(tmp_path: Path, kind: str) -> None:
    board = load_board("nucleo-f412zg")
    model = fake_model(board, layout=Layout(nbytes=300 * 1024))
    with pytest.raises(CannotMeet, match=r"does not fit: it exceeds SRAM by \d\d,\d\d\d bytes"):
        require_compiler("nucleo-f412zg", kind).build(project(board, model), tmp_path)


@pytest.mark.parametrize("kind", COMPILERS)
def test_compile_errors_are_quoted(tmp_path: Path, kind: str) -> None:
    board = load_board("stm32h743")
    files = project(board, fake_model(board)) | {"model/fake.c": "int x = y;\n"}
    with pytest.raises(CannotMeet, match=r"can't compile model/fake.c:\n.*fake.c:1"):
        require_compiler("stm32h743", kind).build(files, tmp_path)


@pytest.mark.parametrize("board", ["host", "stm32h743"])
def test_no_compiler_at_all(monkeypatch: pytest.MonkeyPatch, board: str) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(CannotMeet, match="no C compiler found") as caught:
        find_toolchain(load_board(board))
    assert "pip install tecompile[sim]" in caught.value.hint
