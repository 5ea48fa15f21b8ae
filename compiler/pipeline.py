"""Wires the parts together: bytes -> graph -> plan -> program -> files -> proof."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .backends import backend_chains
from .backends.backend import Chain, lower_program
from .backends.program import Program
from .board import Board, fit
from .errors import CannotMeet, InternalError, InvalidInput
from .frontend import check_supported, parse, with_rounding
from .graph import Graph
from .interpret import run
from .passes import simplify
from .passes.remove_dead import remove_dead
from .planner.planner import Optimize, Place, make_plan
from .render.model import ModelInfo, render_model, selftest_inputs
from .render.project import STACK_BYTES, render_project

# What a model can't be called: its name becomes <name>.c, <name>.h, <name>_t, <NAME>_... and a member of a union.
_RESERVED = re.compile(
    "|".join((
        # keywords of C and C++, predefined macros
        "alignas|alignof|and|asm|auto|bool|break|case|catch|char|class|const|constexpr|continue|decltype|default|delete",
        "do|double|else|enum|explicit|export|extern|false|float|for|friend|goto|if|inline|int|long|mutable|namespace|new",
        "not|noexcept|nullptr|operator|or|private|protected|public|register|requires|restrict|return|short|signed|sizeof",
        "static|struct|switch|template|this|throw|true|try|typedef|typeid|typename|typeof|union|unsigned|using|virtual",
        "void|volatile|while|xor|linux|unix|i386",
        # types and limits of the standard headers: int8_t, SIZE_MAX
        r"u?int(_least|_fast)?\d+|u?int(ptr|max)|r?s?size|ptrdiff|wchar|wint|char\d+|max_align|sig_atomic|time|clock|off",
        "l{0,2}div|fpos|mbstate|pid|pthread",
        # headers of the system, which our folder must not hide
        "std[a-z]*|features|limits|newlib|assert|complex|ctype|errno|fenv|inttypes|iso646|locale|math|setjmp|signal",
        "strings?|tgmath|threads|uchar|wctype|unistd|alloca|endian",
        # our own files, functions and macros
        "main|run|startup|board|chip|stm32|te|te_.*",
        # files that Windows can't have
        r"aux|con|nul|prn|com\d|lpt\d",
    ))
)  # fmt: skip


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
    exact: bool = False


@dataclass(frozen=True)
class Compilation:
    """Everything known about one model compiled for one board."""

    request: Request
    source: str  # file name
    sha256: str
    original: Graph
    chain: Chain  # that offered the kernels
    program: Program
    model_files: Mapping[str, str]

    @property
    def graph(self) -> Graph:
        return self.program.plan.graph


def load_graph(data: bytes, name: str, rounding: str = "tflm") -> Graph:
    """The network as the file states it, but for what nobody reads, with the rounding the user asked for."""
    return remove_dead(with_rounding(parse(data, name), rounding))


def compile_model(data: bytes, source: str, request: Request) -> Compilation:
    """Plan, lower and render one model; raises the first thing that can't be met."""
    name = c_name(request.name or Path(source).stem)
    original = load_graph(data, name, request.rounding)
    graph = simplify(original)
    check_supported(graph)
    chain, program = _fitting_program(name, graph, request)
    sha256 = hashlib.sha256(data).hexdigest()
    golden = tuple(output.tobytes() for output in run(graph, selftest_inputs(graph)))
    info = ModelInfo(Path(source).name, sha256, golden, request.board.arena_alignment)
    return Compilation(request, Path(source).name, sha256, original, chain, program, render_model(program, info))


def project_files(compilations: Sequence[Compilation], kind: str) -> dict[str, str]:
    """The files of one project kind; several models share one arena and one main."""
    programs = [c.program for c in compilations]
    check_names([program.name for program in programs])
    files: dict[str, str] = {}
    for compilation in compilations:
        for path, text in compilation.model_files.items():
            if files.setdefault(path, text) != text:
                raise InternalError(f"two models have different files called {path}")
    return render_project(kind, programs, compilations[0].request.board, files)


def c_name(text: str) -> str:
    """A C identifier close to the given name."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower()
    if not name:
        raise InvalidInput(f"no C name can be made of {text!r}", "choose one with --name")
    return f"model_{name}" if name[0].isdigit() or _RESERVED.fullmatch(name) else name


def check_names(names: Sequence[str]) -> None:
    """Models share a firmware: all that is named after one must not look as if it were another's."""
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            if first == second:
                raise InvalidInput(f"two models are called {first}", "rename one of the files")
            short, long = sorted((first, second), key=len)
            if long.startswith(f"{short}_"):
                raise InvalidInput(
                    f"models {short} and {long} can't share a firmware: the names of {long} could be those of {short}",
                    "rename one of the files, or compile the models one by one (--name then gives another name)",
                )


def _fitting_program(name: str, graph: Graph, request: Request) -> tuple[Chain, Program]:
    """The first that the board has flash for; the last, if that is near: only the linker knows all code."""
    for chain, program in _programs(name, graph, request):
        if not _misfits(request.board, program, program.likely_flash_bytes):
            return chain, program
    reasons = _misfits(request.board, program, program.flash_bytes)
    if not reasons:
        return chain, program
    others = " or ".join(f"--optimize {o.value}" for o in (Optimize.RAM, Optimize.SIZE) if o is not request.optimize)
    raise CannotMeet(
        f"{name} does not fit: {'; '.join(reasons)}", f"try {others}, a smaller network, or a board with more memory"
    )


def _programs(name: str, graph: Graph, request: Request) -> Iterable[tuple[Chain, Program]]:
    """The preferred one first, those that take less flash behind it.

    Assembly that layers share may be smaller than C that is smaller layer by layer: the least flash is found by trial.
    """
    chains = backend_chains(request.kernels, request.board.core)
    if request.optimize is not Optimize.SIZE:
        wanted = chains if request.optimize is Optimize.SPEED else chains[1:] or chains
        return ((chain, _program(name, graph, chain, request, request.optimize)) for chain in wanted)
    tried = [_program(name, graph, chains[-1], request, optimize) for optimize in (Optimize.SIZE, Optimize.SPEED)]
    return [(chains[-1], program) for program in sorted(tried, key=lambda program: program.likely_flash_bytes)]


def _program(name: str, graph: Graph, chain: Chain, request: Request, optimize: Optimize) -> Program:
    plan = make_plan(graph, chain, arena_place(request.board), optimize, request.ram, request.exact)
    _check_ram(plan.arena_bytes, request)
    return lower_program(name, plan, chain.backends)


def _misfits(board: Board, program: Program, flash_bytes: int) -> list[str]:
    """What the board's memories can't hold."""
    if board.is_host:
        return []
    needs = Counter[str]()
    for region in program.plan.regions:
        needs[region.memory] += region.nbytes
    kept = sum(variable.nbytes for variable in program.plan.graph.variables)
    return fit(board, needs, flash_bytes, STACK_BYTES + kept)


def arena_place(board: Board) -> Place:
    """The board's first arena memory. A computer's own has no end worth naming."""
    memory = board.arena[0]
    if board.is_host:
        return Place(memory)
    return Place(memory, board.memory(memory).nbytes, board.dma_alignment)


def _check_ram(arena_bytes: int, request: Request) -> None:
    if request.ram is not None and arena_bytes > request.ram:
        raise CannotMeet(
            f"the plan needs {arena_bytes:,} bytes of arena, --ram allows {request.ram:,}",
            "no smaller plan was found: use a smaller network or input; `tecompile plan` without --ram shows why",
        )
