"""`tecompile boards`, `ops` and `doctor`: what there is to choose from, and what this machine has."""

from __future__ import annotations

import difflib
from typing import Any

import click

from ..backends import backend_chain
from ..board import Board, all_boards, load_board
from ..doctor import Tool, find_tools
from ..errors import InvalidInput
from ..ops import OPERATORS
from ..report.operators import operator_json, operator_lines, operator_markdown
from ..report.text import Table, pairs, size
from .console import Console, terminal_width
from .options import common_options


@click.command()
@click.argument("board", required=False)
@common_options
def boards(console: Console, as_json: bool, board: str | None) -> None:
    """All boards, or all about one."""
    chosen = all_boards() if board is None else (load_board(board),)
    if as_json:
        console.json({"boards": [_board_json(b) for b in chosen]})
    elif board is None:
        header = ("board", "what it is", "core", "MHz", "RAM", "aliases")
        table = Table(header, [_board_row(b) for b in chosen], optional=("aliases", "what it is", "MHz"))
        console.data(table.lines(terminal_width()))
    else:
        console.data(_board_lines(chosen[0]))


def _board_row(board: Board) -> tuple[str, ...]:
    ram = "-" if board.is_host else f"{sum(board.memory(name).nbytes for name in board.arena) // 1024:,} KiB"
    return (
        board.name,
        board.title,
        board.core.name,
        str(board.mhz or "-"),
        ram,
        " ".join(board.aliases) or "-",
    )


def _board_lines(board: Board) -> list[str]:
    return pairs(
        [
            ("board", f"{board.name}: {board.title}"),
            ("aliases", ", ".join(board.aliases) or "none"),
            ("chip", f"{board.chip}, {board.core.name}, {board.mhz} MHz"),
            *((m.name, f"0x{m.origin:08X}, {size(m.nbytes)}, {_roles(board, m.name)}") for m in board.memories),
            ("simulator", board.simulator),
            ("projects", ", ".join(board.projects)),
        ]
    )


def _roles(board: Board, memory: str) -> str:
    uses = (
        ((board.code,), "code and weights"),
        (board.arena, "arena"),
        ((board.data,), "data"),
        ((board.stack,), "stack"),
    )
    return ", ".join(role for names, role in uses if memory in names) or "free"


def _board_json(board: Board) -> dict[str, Any]:
    return {
        "name": board.name,
        "title": board.title,
        "aliases": list(board.aliases),
        "chip": board.chip,
        "core": board.core.name,
        "fpu": board.fpu or None,
        "mhz": board.mhz,
        "memories": [{"name": m.name, "origin": m.origin, "bytes": m.nbytes} for m in board.memories],
        "code": board.code,
        "arena": list(board.arena),
        "simulator": board.simulator,
        "projects": list(board.projects),
    }


@click.command()
@click.argument("op", required=False)
@click.option("--board", metavar="NAME", help="Also say which kernels that board's core has.")
@click.option("--markdown", is_flag=True, help="As the page OPERATORS.md of the documentation.")
@common_options
def ops(console: Console, as_json: bool, op: str | None, board: str | None, markdown: bool) -> None:
    """All operators that can be compiled, with element types and limits, or one of them."""
    if markdown:
        console.data(operator_markdown())
        return
    kinds = sorted(OPERATORS) if op is None else [_known_operator(op)]
    backends = [b.name for b in backend_chain("native", load_board(board).core).backends] if board else None
    if as_json:
        entries = [operator_json(k) for k in kinds]
        console.json({"ops": entries} if backends is None else {"ops": entries, "backends": backends})
        return
    console.data(operator_lines(kinds, terminal_width()))
    if backends is not None:
        console.data(["", f"kernels of {board}: {', '.join(backends)}"])


def _known_operator(name: str) -> str:
    kind = name.upper().replace("-", "_")
    if kind in OPERATORS:
        return kind
    near = difflib.get_close_matches(kind, OPERATORS, n=3)
    guess = f"did you mean {' or '.join(near)}? " if near else ""
    raise InvalidInput(f"no operator {name} is supported", f"{guess}`tecompile ops` lists all of them")


@click.command()
@common_options
def doctor(console: Console, as_json: bool) -> None:
    """Which compilers and simulators this machine has, and how to get the rest."""
    with console.working("looking around"):
        tools = find_tools()
    if as_json:
        console.json({"tools": [_tool_json(t) for t in tools]})
        return
    rows = [(t.name, t.version or "missing", t.purpose) for t in tools]
    console.data(Table(("tool", "version", "what it is for"), rows).lines(terminal_width()))
    missing = [(t.name, t.remedy) for t in tools if t.version is None]
    console.data(["", "to get the rest:", *pairs(missing)] if missing else ["", "nothing is missing"])


def _tool_json(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "version": tool.version,
        "path": tool.path,
        "purpose": tool.purpose,
        "install": tool.remedy,
    }
