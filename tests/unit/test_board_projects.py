"""Generated projects, as text: complete, deterministic, and free of what must not be in them."""

from __future__ import annotations

import json

import pytest

from tecompile.board import all_boards, load_board
from tecompile.errors import CannotMeet, InternalError
from tecompile.render.flags import gcc_flags, zig_flags
from tecompile.render.project import KINDS, render_project
from tests.sim.fake import FakeModel, fake_model, project, quiet

BOARDS = [board.name for board in all_boards()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BOARDS)
def test_files(name: str, kind: str) -> None:
    board = load_board(name)
    model = fake_model(board)
    files = project(board, model, kind=kind)
    assert files == project(board, model, kind=kind)
    assert {f"model/{path}" for path in model.files} <= set(files)
    assert ("Makefile" in files, "CMakeLists.txt" in files) == (kind == "make", kind == "cmake")
    assert ("src/main.c" in files) == (kind != "sources")
    assert ("link.ld" in files) == (kind != "sources" and not board.is_host)
    for path, text in files.items():
        assert "None" not in text, path
        assert "{{" not in text.replace("={{", ""), path
        assert all(line == line.rstrip() for line in text.splitlines()), path
        assert text.endswith("\n"), path


@pytest.mark.parametrize("name", [name for name in BOARDS if name != "host"])
def test_flags_are_those_of_our_own_builds(name: str) -> None:
    board = load_board(name)
    makefile = project(board, fake_model(board))["Makefile"]
    for flags in (gcc_flags(board), zig_flags(board)):
        assert " ".join(flags.cpu) in makefile
        assert " ".join(flags.compile) in makefile
        assert " ".join(flags.link) in makefile
        assert not {"-Ofast", "-ffreestanding", "-ffast-math"} & {*flags.cpu, *flags.compile}


def test_the_fpu_is_switched_on_where_there_is_one() -> None:
    startup = project(load_board("qemu-m4"), fake_model(load_board("qemu-m4")))["board/startup.c"]
    assert "CPACR" in startup


def test_linker_script_places_the_arena() -> None:
    board = load_board("stm32h743")
    script = project(board, fake_model(board))["link.ld"]
    assert ".arena0 (NOLOAD) : { *(.bss..te_arena.0) } > AXI" in script
    assert "AXI    (rw) : ORIGIN = 0x24000000, LENGTH = 512K" in script


def test_two_models_share_one_arena() -> None:
    board = load_board("stm32h743")
    main = project(board, fake_model(board, "one"), fake_model(board, "two"))["src/main.c"]
    assert "ONE_ATTR_ARENA TWO_ATTR_ARENA BOARD_ARENA(0) union" in main
    assert main.count("sizeof arena_0") == 2


def test_no_self_test_no_call_of_it() -> None:
    board = load_board("host")
    assert "selftest" in project(board, fake_model(board))["src/main.c"]
    assert "fake_selftest(&model)" in project(board, fake_model(board))["README.md"]
    assert "selftest" not in project(board, quiet(fake_model(board)))["src/main.c"]


def test_presets_are_json() -> None:
    for name in ("host", "stm32h743"):
        board = load_board(name)
        presets = json.loads(project(board, fake_model(board), kind="cmake")["CMakePresets.json"])
        assert ("toolchainFile" in presets["configurePresets"][0]) == (name != "host")


def test_model_files_may_be_bytes() -> None:
    board = load_board("host")
    model = fake_model(board)
    as_bytes = {path: text.encode() for path, text in model.files.items()}
    assert render_project("make", [model.program], board, as_bytes) == project(board, model)


def test_unknown_kind() -> None:
    board = load_board("host")
    with pytest.raises(CannotMeet, match="no project of kind 'keil'"):
        project(board, fake_model(board), kind="keil")


def test_models_for_different_memories_do_not_mix() -> None:
    boards = load_board("stm32h743"), load_board("nucleo-f412zg")
    models: list[FakeModel] = [fake_model(board, name) for board, name in zip(boards, ("one", "two"), strict=True)]
    with pytest.raises(InternalError, match="other memories"):
        project(boards[0], *models)


@pytest.mark.parametrize("name", ["stm32h743", "host"])
def test_weights_are_checked_at_boot(name: str) -> None:
    files = project(load_board(name), fake_model(load_board(name)))
    assert 'passed("fake_check_weights", fake_check_weights())' in files["src/main.c"]
    assert "fake_check_weights()" in files["README.md"]
