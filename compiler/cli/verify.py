"""`tecompile verify`: build the generated project, run it, compare every planned tensor."""

from __future__ import annotations

from pathlib import Path

import click

from ..pipeline import Request
from ..report.summary import verdict
from .console import Console
from .options import build_options, common_options, inputs_option, model_argument, seed_option, verify_option
from .proof import Wanted, prove
from .work import compile_one


@click.command()
@model_argument
@build_options
@verify_option("auto", "host", "unicorn", "qemu")
@inputs_option
@seed_option
@click.option("--poison", is_flag=True, help="Overwrite dead memory with noise, watch all other bytes and the margins.")
@common_options
def verify(
    console: Console,
    as_json: bool,
    model: Path,
    request: Request,
    method: str,
    inputs: int,
    seed: int,
    poison: bool,
) -> None:
    """Build the generated project, run it, compare; name what differs first."""
    outcome = prove(console, compile_one(console, model, request), Wanted(method, inputs, seed, poison))
    if as_json:
        console.json(outcome.result.to_json())
    else:
        console.data([f"{outcome.result.model} on {request.board.name}: {verdict(outcome.result)}", *outcome.lines])
    outcome.demanded()
