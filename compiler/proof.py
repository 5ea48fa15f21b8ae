"""Evidence: what building a compiled model and running it shows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .board import load_board
from .cases import Case, random_case
from .errors import CannotMeet
from .pipeline import Compilation, check_fit, project_files
from .simulate.elf import Sizes, model_sizes, read_elf
from .simulate.host_machine import HostSession, build_host_library
from .simulate.session import Session
from .simulate.simulators import choose_simulator, open_session
from .simulate.toolchain import find_toolchain, toolchains
from .simulate.verify import Verification, verify

HOST = "host"


@dataclass(frozen=True)
class Wanted:
    """What to run: where, on how many seeded inputs, with counting and poisoning or without."""

    method: str  # host, unicorn or qemu
    inputs: int = 1
    seed: int = 1
    count: bool = False
    poison: bool = False


@dataclass(frozen=True)
class Evidence:
    """Sizes are of the linked firmware: None where only the host ran."""

    compiler: str
    verification: Verification
    sizes: Sizes | None


def choose_method(compilation: Compilation, method: str) -> str | None:
    """`auto` is a simulator of the board, else the host; None if there is nothing to verify with."""
    if method != "auto":
        return None if method == "none" else method
    board = compilation.request.board
    if not board.is_host and next(toolchains(board), None) and (simulator := choose_simulator(board)):
        return simulator
    return HOST if next(toolchains(load_board(HOST)), None) else None


def gather(compilations: Sequence[Compilation], wanted: Wanted) -> list[Evidence]:
    """Build once, then run every model on its own seeded inputs."""
    with tempfile.TemporaryDirectory(prefix="tecompile-") as folder:
        if wanted.method == HOST:
            return [_on_host(c, wanted, Path(folder) / c.program.name) for c in compilations]
        return _on_simulator(compilations, wanted, Path(folder))


def _on_host(compilation: Compilation, wanted: Wanted, folder: Path) -> Evidence:
    folder.mkdir()
    toolchain = find_toolchain(load_board(HOST))
    library = build_host_library(compilation.program, compilation.model_files, toolchain, folder)
    session = HostSession(compilation.program, library)
    return Evidence(toolchain.name, _verify(compilation, session, wanted), None)


def _on_simulator(compilations: Sequence[Compilation], wanted: Wanted, folder: Path) -> list[Evidence]:
    board = compilations[0].request.board
    if board.is_host:
        raise CannotMeet(f"board host can't be run in {wanted.method}", "use --verify host, or name a board")
    toolchain = find_toolchain(board)
    path = toolchain.build(project_files(compilations, "make"), folder)
    found: list[Evidence] = []
    for compilation in compilations:
        sizes = model_sizes(read_elf(path), compilation.program.name)
        check_fit(board, compilation.program, sizes.flash_bytes, sizes.static_bytes)
        session = open_session(wanted.method, compilation.program, board, path, wanted.count)
        found.append(Evidence(toolchain.name, _verify(compilation, session, wanted), sizes))
    return found


def _verify(compilation: Compilation, session: Session, wanted: Wanted) -> Verification:
    cases = seeded_cases(compilation, wanted.inputs, wanted.seed)
    try:
        inputs, values = [case.inputs for case in cases], [case.values for case in cases]
        return verify(compilation.program, session, inputs, values, wanted.poison)
    finally:
        session.close()


def seeded_cases(compilation: Compilation, count: int, seed: int) -> list[Case]:
    return [random_case(compilation.original, compilation.graph, seed + i) for i in range(count)]
