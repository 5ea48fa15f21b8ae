"""`tecompile plan`: what happens when, where it lies, and what the arena's size hangs on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from ..backends import backend_chain
from ..pipeline import Compilation, Request, arena_place
from ..planner.planner import Optimize, make_plan
from ..report.plan import buffer_lines, candidate_lines, peak_lines, plan_json, stage_lines
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
    with console.working("trying other settings"):
        others = alternatives(compiled)
    made = compiled.program.plan
    if as_json:
        console.json({**planned(compiled).to_json(), **plan_json(made, others)})
        return
    width = terminal_width()
    console.data([*stage_lines(made, width), "", *buffer_lines(made, width), "", *peak_lines(made, others)])
    if console.verbose:
        chain = backend_chain(request.kernels, request.board.core)
        for op in made.ops:
            console.data(["", *candidate_lines(op, chain.candidates(op), made.choices[op], width)])


def alternatives(compiled: Compilation) -> list[tuple[str, int]]:
    """The arena that other settings would give: really planned, not guessed."""
    now = compiled.request
    trials = [
        ("--optimize ram", replace(now, optimize=Optimize.RAM)),
        ("--kernels portable", replace(now, kernels="portable")),
        ("--kernels portable --optimize ram", replace(now, kernels="portable", optimize=Optimize.RAM)),
    ]
    return [(flags, _arena_bytes(compiled, trial)) for flags, trial in trials if trial != now]


def _arena_bytes(compiled: Compilation, trial: Request) -> int:
    chain = backend_chain(trial.kernels, trial.board.core)
    return make_plan(compiled.graph, chain, arena_place(trial.board), trial.optimize).arena_bytes
