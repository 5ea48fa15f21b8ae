"""`tecompile inspect`: what a model is, and everything that keeps it from being compiled."""

from __future__ import annotations

from pathlib import Path

import click

from ..frontend import Blocker, UnsupportedModel, check_supported, outline, parse
from ..graph import Graph
from ..passes import simplify
from ..report.model import blockers_json, model_json, model_lines, refusal_json, refusal_lines
from .console import Console, terminal_width
from .options import common_options, model_argument
from .work import read_bytes


@click.command()
@model_argument
@common_options
def inspect(console: Console, as_json: bool, model: Path) -> None:
    """Operators, shapes, MACs, parameters; everything unsupported at once."""
    data = read_bytes(model)
    try:
        graph = parse(data, model.stem)
        refusal = _refusal(graph)
    except UnsupportedModel as error:
        graph, refusal = None, error
    blockers = () if refusal is None else refusal.blockers or (Blocker("the model", refusal.message),)
    operators = () if graph else outline(data, model.stem)
    if as_json:
        body = model_json(graph) if graph else refusal_json(operators)
        console.json(
            {"model": model.name, **body, "supported": refusal is None, "unsupported": blockers_json(blockers)}
        )
    elif graph:
        console.data([*model_lines(graph, terminal_width()), *_reasons(blockers)])
    else:
        console.data(refusal_lines(operators, blockers, terminal_width()))
    if refusal:
        raise refusal


def _refusal(graph: Graph) -> UnsupportedModel | None:
    """Limits of known operators show once constants are folded."""
    try:
        check_supported(simplify(graph))
    except UnsupportedModel as error:
        return error
    return None


def _reasons(blockers: tuple[Blocker, ...]) -> list[str]:
    return [f"unsupported: {b.op}: {b.reason}" for b in blockers]
