"""`tecompile plan`: what happens when, where it lies, and what the arena's size hangs on."""

from __future__ import annotations

from pathlib import Path

import click

from ..pipeline import Compilation, Request, arena_place
from ..planner.planner import Point, front
from ..report.memory import memory
from ..report.plan import buffer_lines, candidate_lines, front_lines, peak_lines, plan_json, stage_lines
from ..report.summary import estimated
from ..report.text import pairs
from .console import Console, terminal_width
from .options import build_options, common_options, model_argument
from .work import compile_one, planned


@click.command()
@model_argument
@build_options
@common_options
def plan(console: Console, as_json: bool, model: Path, request: Request) -> None:
    """Stages, candidates, buffers, offsets, peak, and what would help."""
    compiled = compile_one(console, model, request)
    points = front_of(console, compiled)
    made, result = compiled.program.plan, planned(compiled)
    found = memory(made)
    if as_json:
        console.json({**result.to_json(), **plan_json(found, points)})
        return
    width = terminal_width()
    tables = (stage_lines(found, width, result), buffer_lines(found, width), front_lines(made, points, width))
    for lines in tables:
        console.data([*lines, ""])
    time = [("estimate", estimated(result)), ("rests on", result.estimate_basis or "nothing")]
    console.data([*peak_lines(found, points), *pairs(time)])
    if console.verbose:
        for op in made.ops:
            console.data(["", *candidate_lines(op, compiled.chain.candidates(op), made.choices[op], width)])


def front_of(console: Console, compiled: Compilation) -> list[Point]:
    """Plans from the fastest to the smallest."""
    with console.working("looking for plans with less memory") as report:
        return front(compiled.graph, compiled.chain, arena_place(compiled.request.board), report)
