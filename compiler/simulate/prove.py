"""Build a model for a board, run it where it can run, and compare: everything `verify` and `bench` need."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from ..backends.program import Program
from ..board import Board, load_board
from ..graph import Array, Tensor
from .elf import Elf, Sizes, model_sizes, read_elf
from .host_machine import HostSession, build_host_library
from .qemu_counter import profile_in_qemu
from .simulators import open_session
from .toolchain import Toolchain, find_toolchain
from .verify import Verification, verify

Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Inputs:
    """What to run, one after the other, and every tensor of the planned graph for each run."""

    frames: Sequence[Sequence[Array]]
    expected: Sequence[Mapping[Tensor, Array]]
    states: Sequence[Mapping[str, Array]] | None = None  # after each run; None: they are not compared


@dataclass(frozen=True)
class Proof:
    """A verification, and what was built for it."""

    compiler: str
    verification: Verification
    sizes: Sizes | None  # None on host: another instruction set


def prove_firmware(
    program: Program,
    board: Board,
    files: Files,
    simulator: str,
    inputs: Inputs,
    poison: bool = False,
    toolchain: Toolchain | None = None,
) -> Proof:
    """Build the project `files` (of kind make or cmake) and verify one of its models in unicorn or QEMU."""
    toolchain = toolchain or find_toolchain(board)
    with tempfile.TemporaryDirectory(prefix="te-") as folder:
        elf = read_elf(toolchain.build(files, Path(folder)))
        return Proof(toolchain.name, *prove_elf(program, board, elf, simulator, inputs, poison))


def prove_elf(
    program: Program, board: Board, elf: Elf, simulator: str, inputs: Inputs, poison: bool
) -> tuple[Verification, Sizes]:
    """One of the models in a firmware that is built already."""
    with closing(open_session(simulator, program, board, elf, count=True)) as session:
        found = verify(program, session, inputs.frames, inputs.expected, poison, inputs.states)
    if simulator == "qemu":
        counted = profile_in_qemu(program, board, elf)
        told = replace(counted, stack_bytes=found.profile.stack_bytes, macs_executed=found.profile.macs_executed)
        found = replace(found, profile=told)
    return found, model_sizes(elf, program.name, program.assembly)


def prove_on_host(
    program: Program, model_files: Files, inputs: Inputs, poison: bool = False, toolchain: Toolchain | None = None
) -> Proof:
    """Verify the plan and the C kernels on this computer; assembly kernels are replaced by their C twins."""
    toolchain = toolchain or find_toolchain(load_board("host"))
    with tempfile.TemporaryDirectory(prefix="te-", ignore_cleanup_errors=True) as folder:
        session = HostSession(program, build_host_library(program, model_files, toolchain, Path(folder)))
        found = verify(program, session, inputs.frames, inputs.expected, poison, inputs.states)
        return Proof(toolchain.name, found, None)
