"""Wires the parts together: bytes -> graph -> plan -> program -> files -> proof."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .backends import backend_chain
from .backends.backend import lower_program
from .backends.program import Program
from .board import Board, fit
from .errors import CannotMeet, InvalidInput
from .frontend import check_supported, parse, with_rounding
from .graph import Graph
from .interpret import run
from .passes import simplify
from .planner.planner import Optimize, make_plan
from .render.model import ModelInfo, render_model, selftest_inputs
from .render.project import render_project

C_KEYWORDS = frozenset({
    "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum", "extern", "float",
    "for", "goto", "if", "inline", "int", "long", "main", "register", "restrict", "return", "short", "signed", "sizeof",
    "static", "struct", "switch", "typedef", "union", "unsigned", "void", "volatile", "while",
})  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What a user asks for, flags and configuration merged."""

    board: Board
    name: str | None = None
    projects: tuple[str, ...] = ()
    kernels: str = "native"
    optimize: Optimize = Optimize.BALANCED
    rounding: str = "tflm"
    ram: int | None = None


@dataclass(frozen=True)
class Compilation:
    """Everything known about one model compiled for one board."""

    request: Request
    source: str  # file name
    sha256: str
    original: Graph
    program: Program
    model_files: Mapping[str, str]

    @property
    def graph(self) -> Graph:
        return self.program.plan.graph


def load_graph(data: bytes, name: str, rounding: str = "tflm") -> Graph:
    """The network as the file states it, with the rounding the user asked for."""
    return with_rounding(parse(data, name), rounding)


def compile_model(data: bytes, source: str, request: Request) -> Compilation:
    """Plan, lower and render one model; raises the first thing that can't be met."""
    name = c_name(request.name or Path(source).stem)
    original = load_graph(data, name, request.rounding)
    graph = simplify(original)
    check_supported(graph)
    chain = backend_chain(request.kernels, request.board.core)
    plan = make_plan(graph, chain, request.board.arena[0], request.optimize)
    _check_ram(plan.arena_bytes, request)
    program = lower_program(name, plan, chain.backends)
    check_fit(request.board, program, program.weights_bytes)
    sha256 = hashlib.sha256(data).hexdigest()
    golden = tuple(output.tobytes() for output in run(graph, selftest_inputs(graph)))
    info = ModelInfo(Path(source).name, sha256, golden)
    return Compilation(request, Path(source).name, sha256, original, program, render_model(program, info))


def project_files(compilations: Sequence[Compilation], kind: str) -> dict[str, str]:
    """The files of one project kind; several models share one arena and one main."""
    programs = [c.program for c in compilations]
    files: dict[str, str] = {}
    for compilation in compilations:
        files |= compilation.model_files
    return render_project(kind, programs, compilations[0].request.board, files)


def c_name(text: str) -> str:
    """A C identifier close to the given name."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()
    if not name:
        raise InvalidInput(f"no C name can be made of {text!r}", "choose one with --name")
    return f"model_{name}" if name[0].isdigit() or name in C_KEYWORDS else name


def check_fit(board: Board, program: Program, flash_bytes: int, ram_bytes: int = 0) -> None:
    """Refuse what the board's memories can't hold; `flash_bytes` may still be the weights alone."""
    needs: dict[str, int] = {}
    for region in program.plan.regions:
        needs[region.memory] = needs.get(region.memory, 0) + region.nbytes
    reasons = [] if board.is_host else fit(board, needs, flash_bytes, ram_bytes)
    if reasons:
        raise CannotMeet(
            f"{program.name} does not fit: {'; '.join(reasons)}",
            "try --optimize ram or --optimize size, a smaller network, or a board with more memory",
        )


def _check_ram(arena_bytes: int, request: Request) -> None:
    if request.ram is not None and arena_bytes > request.ram:
        raise CannotMeet(
            f"the plan needs {arena_bytes:,} bytes of arena, --ram allows {request.ram:,}",
            "try --optimize ram, or a smaller input or network; `tecompile plan` shows what pins the peak",
        )
