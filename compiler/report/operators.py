"""What can be compiled, from the operators themselves: `tecompile ops`, and OPERATORS.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..ops import OPERATORS
from .text import Table

INTRODUCTION = """# Operators

What tecompile compiles, bit for bit as TensorFlow Lite for Microcontrollers (TFLM) computes it. Where TFLM has no
kernel or refuses a type, LiteRT's reference kernel is the authority, as the limits say; for uint8 it always is.

Written by `tecompile ops --markdown` from the operators that check models. `tecompile inspect MODEL` tells everything
that keeps a model from being compiled.
"""


@dataclass(frozen=True)
class OperatorText:
    name: str
    summary: str
    types: str  # of the values it computes on at run time
    limits: str


def operator_text(kind: str) -> OperatorText:
    op = OPERATORS[kind]
    return OperatorText(kind, op.summary, ", ".join(t.value for t in op.types), op.limits)


def operator_json(kind: str) -> dict[str, object]:
    return {**asdict(operator_text(kind)), "types": [t.value for t in OPERATORS[kind].types]}


def operator_lines(kinds: Sequence[str], width: int | None) -> list[str]:
    rows = [(t.name, t.types, t.summary, t.limits) for t in map(operator_text, kinds)]
    return Table(("operator", "types", "what it does", "limits"), rows, optional=("what it does",)).lines(width)


def operator_markdown() -> list[str]:
    rows = [f"| {t.name} | {t.types} | {t.summary} | {t.limits} |" for t in map(operator_text, sorted(OPERATORS))]
    return [*INTRODUCTION.splitlines(), "", "| operator | types | what it does | limits |", "|---|---|---|---|", *rows]
