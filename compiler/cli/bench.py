"""`tecompile bench`: what one inference costs, whole and per layer."""

from __future__ import annotations

from pathlib import Path

import click

from ..pipeline import Request
from ..report.summary import layer_lines, summary_lines
from .console import Console, terminal_width
from .options import build_options, common_options, inputs_option, model_argument, seed_option, verify_option
from .proof import Wanted, prove
from .work import compile_one


@click.command()
@model_argument
@build_options
@verify_option("auto", "unicorn", "qemu", "host")
@inputs_option
@seed_option
@common_options
def bench(console: Console, as_json: bool, model: Path, request: Request, method: str, inputs: int, seed: int) -> None:
    """Executed instructions and estimated cycles (whole and per layer), time, RAM, flash."""
    outcome = prove(console, compile_one(console, model, request), Wanted(method, inputs, seed))
    if as_json:
        console.json(outcome.result.to_json())
    else:
        console.data([*layer_lines(outcome.result, terminal_width()), "", *summary_lines(outcome.result, costs=True)])
    outcome.demanded()
