"""An assembly function: its instructions, the check that they obey the calling convention, its name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import InternalError
from .instr import Instr, Label, Line
from .isa import CALLEE_SAVED, LOW_ARGUMENTS


@dataclass(frozen=True)
class Function:
    """`name` is the full specification: same name, same instructions."""

    name: str
    purpose: str
    lines: tuple[Line, ...]
    drawing: tuple[str, ...] = ()  # what is in which register

    @property
    def instructions(self) -> tuple[Instr, ...]:
        return tuple(line for line in self.lines if isinstance(line, Instr))

    @property
    def stem(self) -> str:
        """The name without its hash."""
        return self.name.rpartition("_")[0]

    def reordered(self, suffix: str, lines: tuple[Line, ...]) -> Function:
        """The same function, with the same effects, as other lines."""
        return Function(_name(f"{self.stem}_{suffix}", lines), self.purpose, lines, self.drawing)

    @property
    def code_bytes(self) -> int:
        """An estimate: most instructions are 4 bytes long."""
        return round(sum(instr.count for instr in self.instructions) * 3.6)


@dataclass(frozen=True)
class Routine:
    """A function as C sees it: declared where the DSP extension is there, else a call of its twin in C."""

    function: Function
    parameters: tuple[str, ...]  # `const int8_t *pixels`
    twin: str  # a C function that takes the same arguments and then the numbers below
    twin_numbers: tuple[int, ...]
    twin_header: str  # where that is

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def header(self) -> str:
        return f"{self.name}.h"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the twin is called with."""
        names = (parameter.split()[-1].lstrip("*") for parameter in self.parameters)
        return (*names, *map(str, self.twin_numbers))


def specified(stem: str, purpose: str, lines: Sequence[Line], arguments: int, generator: str | None = None) -> Function:
    """A checked function named by its specification and a hash of its text; `generator` is the text that opens its
    generator's file."""
    function = Function(_name(stem, lines), purpose, tuple(lines), _drawing(generator or ""))
    check(function, arguments)
    return function


def _drawing(text: str) -> tuple[str, ...]:
    """The indented lines of the paragraph that begins with registers."""
    found = re.search(r"^((?:    r\d+ .*\n)(?:    .*\n)*)", text, re.MULTILINE)
    return tuple(line.strip() for line in found[1].splitlines()) if found else ()


def _name(stem: str, lines: Sequence[Line]) -> str:
    digest = hashlib.sha256("\n".join(map(str, lines)).encode()).hexdigest()
    return f"{stem}_{digest[:8]}"


def check(function: Function, arguments: int) -> None:
    """No register is read before it is set, what must survive is saved, the stack is balanced."""
    known = {"sp", "lr", *LOW_ARGUMENTS[:arguments], *CALLEE_SAVED}
    written: set[str] = set()
    depth, depths = 0, set[int]()
    for instr in function.instructions:
        _require(instr.reads <= known | {"pc"}, function, f"`{instr}` reads a register nobody set")
        known |= instr.writes
        if instr.stack >= 0:
            written |= instr.writes - {"sp"}
        depth += instr.stack
        depths.add(depth)
    _require(depth == 0 and min(depths) >= 0, function, "the stack is not balanced")
    saved = function.instructions[0]
    must_save = (written & set(CALLEE_SAVED)) | {"lr"}
    _require(saved.stack > 0 and must_save <= saved.reads, function, f"{sorted(must_save)} are not all saved")
    _require("pc" in function.instructions[-1].writes, function, "does not end by returning")
    _check_labels(function)


def _check_labels(function: Function) -> None:
    """Each branch finds its label on the side that it names."""
    places = [(i, line.number) for i, line in enumerate(function.lines) if isinstance(line, Label)]
    for i, line in enumerate(function.lines):
        if isinstance(line, Instr) and line.target:
            number, forward = int(line.target[:-1]), line.target.endswith("f")
            found = any(n == number and (place > i) == forward for place, n in places)
            _require(found, function, f"`{line}` jumps to no label")


def _require(condition: bool, function: Function, what: str) -> None:
    if not condition:
        raise InternalError(f"assembly kernel {function.name}: {what}")
