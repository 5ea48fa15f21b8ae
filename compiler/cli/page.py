"""`tecompile report`: everything about one compilation on one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from ..output import check_file, write_file
from ..pipeline import Request
from ..report.page import render_page
from .console import Console
from .options import METHODS, build_options, common_options, inputs_option, model_argument, seed_option, verify_option
from .plan import front_of
from .proof import Wanted, prove
from .work import compile_one


@click.command()
@model_argument
@build_options
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("report.html"), show_default=True,
              metavar="FILE", help="Where the page goes.")  # fmt: skip
@verify_option(*METHODS)
@inputs_option
@seed_option
@common_options
def report(
    console: Console,
    as_json: bool,
    model: Path,
    request: Request,
    output: Path,
    method: str,
    inputs: int,
    seed: int,
) -> None:
    """One self-contained HTML page: memory over time, layers, sizes, outcome."""
    check_file(output)
    compiled = compile_one(console, model, request)
    outcome = prove(console, compiled, Wanted(method, inputs, seed))
    points, plan = front_of(console, compiled), compiled.program.plan
    page = render_page(outcome.result, compiled.original, plan, request.board, outcome.lines, points)
    write_file(output, page)
    if as_json:
        console.json({**outcome.result.to_json(), "output": str(output)})
    else:
        console.note(f"wrote {output}")
    outcome.demanded()
