"""Where a compiled model can be run, and the proof of having run it there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .board import Board, load_board
from .cases import Case
from .cases import random_cases as cases_of
from .errors import CannotMeet
from .pipeline import Compilation, project_files
from .simulate.elf import read_elf
from .simulate.prove import Inputs, Proof, prove_elf, prove_on_host
from .simulate.simulators import choose_simulator, why_not
from .simulate.toolchain import find_toolchain, toolchains

PROJECT = "make"  # whose files are built here; all kinds share their sources
HOST = "host"


def choose_method(method: str, board: Board) -> str | None:
    """What was asked for, or the best there is; None if nothing is."""
    if method != "auto":
        return method
    simulator = choose_simulator(board) if _can_build(board) else None
    return simulator or (HOST if _can_build(load_board(HOST)) else None)


def random_cases(compilation: Compilation, inputs: int, seed: int) -> list[Case]:
    return cases_of(compilation.original, compilation.graph, inputs, seed)


def gather(
    compilations: Sequence[Compilation], method: str, cases: Sequence[Sequence[Case]], poison: bool = False
) -> list[Proof]:
    """Run each of the models that share a firmware on its own cases: the ELF that runs is the one that ships."""
    board = load_board(HOST) if method == HOST else compilations[0].request.board
    if (reason := why_not(method, board)) is not None:
        raise CannotMeet(reason, "`pip install tecompile[sim]`; `tecompile doctor` tells what else is missing")
    programs = [compilation.program for compilation in compilations]
    inputs = [Inputs(*zip(*((c.inputs, c.values, c.state) for c in own), strict=True)) for own in cases]
    runs = list(zip(programs, inputs, strict=True))
    files, toolchain = project_files(compilations, PROJECT), find_toolchain(board)
    if method == HOST:
        own_files = [compilation.model_files for compilation in compilations]
        return [prove_on_host(p, f, own, poison, toolchain) for (p, own), f in zip(runs, own_files, strict=True)]
    with TemporaryDirectory(prefix="te-") as folder:
        elf = read_elf(toolchain.build(files, Path(folder)))
        return [Proof(toolchain.name, *prove_elf(p, board, elf, method, own, poison)) for p, own in runs]


def _can_build(board: Board) -> bool:
    return any(True for _ in toolchains(board))
