"""Boards: TOML files that agree with themselves, names that people type, and what fits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tecompile.board import (
    CORES,
    SimulatedRegister,
    all_boards,
    fit,
    load_board,
    load_peripherals,
    parse_board,
)
from tecompile.errors import InternalError, InvalidInput
from tecompile.render.project import KINDS

NAMES = [board.name for board in all_boards()]


@pytest.mark.parametrize("name", NAMES)
def test_boards_agree_with_themselves(name: str) -> None:
    board = load_board(name)
    for memory in (board.code, board.data, board.stack, *board.arena):
        assert board.memory(memory).nbytes > 0
    assert "x" in board.memory(board.code).attributes
    assert all("w" in board.memory(m).attributes for m in (board.data, board.stack, *board.arena))
    assert board.projects
    assert set(board.projects) <= set(KINDS)
    assert board.simulator in ("unicorn", "qemu", "host")
    assert (board.simulator == "qemu") == bool(board.machine)
    assert board.core in CORES.values()


@pytest.mark.parametrize("name", NAMES)
def test_memories_do_not_overlap(name: str) -> None:
    memories = sorted(load_board(name).memories, key=lambda m: m.origin)
    assert all(a.end <= b.origin for a, b in pairwise(memories))


def test_every_name_is_unique() -> None:
    names = [n.lower().replace("_", "-") for b in all_boards() for n in (b.name, *b.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["stm32h743", "NUCLEO_H743ZI2", "nucleo-h743zi2"])
def test_aliases(name: str) -> None:
    assert load_board(name).name == "stm32h743"


def test_unknown_board_gets_a_suggestion() -> None:
    with pytest.raises(InvalidInput, match="unknown board 'stm32h7433'") as caught:
        load_board("stm32h7433")
    assert "did you mean stm32h743" in caught.value.hint
    with pytest.raises(InvalidInput) as caught:
        load_board("zzzzzzzzzzzz")
    assert caught.value.hint == "`tecompile boards` lists all of them"


def test_unknown_memory_is_our_mistake() -> None:
    with pytest.raises(InternalError, match="no memory XYZ"):
        load_board("host").memory("XYZ")


def test_what_templates_need_is_kept_in_facts() -> None:
    facts = load_board("stm32h743").facts
    assert facts["uart"]["base"] == 0x40004800
    assert set(facts) == {"clock", "uart", "ids"}


def test_fit() -> None:
    board = load_board("nucleo-f412zg")
    assert fit(board, {"SRAM": 200 * 1024}, 1024 * 1024, 56 * 1024) == []
    assert fit(board, {"SRAM": 200 * 1024}, 1024, 56 * 1024 + 512) == [
        "needs 256.5 KiB of SRAM, STM32F412ZG (NUCLEO-F412ZG) has 256 KiB"
    ]
    both = fit(load_board("stm32h743"), {"AXI": 600 * 1024}, 3 << 20, 4096)
    assert [reason.split(", STM")[0] for reason in both] == ["needs 600 KiB of AXI", "needs 3,072 KiB of FLASH"]


def test_status_registers_follow_what_is_written() -> None:
    """The clock switch: bits 0..2 are read back at 3..5, and stale status bits are not kept."""
    register = SimulatedRegister(0x1000, ones=0x100, copies=((0x7, 3),))
    assert register.read(0) == 0x100
    assert register.read(0x3) == 0x11B
    assert register.read(0x38 | 0x2) == 0x112


def test_peripherals() -> None:
    found = load_peripherals(load_board("stm32h743"))
    assert found.console == 0x40004828
    assert 0x40004000 in found.pages
    assert all(page % 0x1000 == 0 for page in found.pages)
    assert all(address & ~0xFFF in found.pages for address in found.registers)
    assert load_peripherals(load_board("qemu-m4")).console is None


def test_parse_needs_what_it_needs() -> None:
    with pytest.raises(KeyError, match="memory"):
        parse_board("x", 'title = "x"')
