"""`tecompile compare A B`: exit 1 if B is worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import CannotMeet, InvalidInput
from ..pipeline import Request
from ..report.compare import Change, change_json, change_lines, changes, read_result
from .console import Console, terminal_width
from .options import METHODS, Percent, common_options, optional_build_options, verify_option
from .proof import Wanted, prove
from .work import compile_one


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--tolerance", type=Percent(), default=0.0, metavar="PERCENT", show_default=True,
              help="How much more B may need.")  # fmt: skip
@optional_build_options
@verify_option(*METHODS)
@common_options
def compare(
    console: Console, as_json: bool, a: Path, b: Path, tolerance: float, request: Request | None, method: str
) -> None:
    """Two models, or two saved --json results, side by side."""
    before, after = (_result(console, path, request, method) for path in (a, b))
    found = changes(before, after)
    worse = [c for c in found if c.worse(tolerance)]
    if as_json:
        console.json({"a": str(a), "b": str(b), "metrics": change_json(found), "worse": [c.metric for c in worse]})
    else:
        console.data(change_lines(_headings(a, b), found, terminal_width()))
    _judge(b, worse, tolerance, after.get("bit_exact"))


def _headings(a: Path, b: Path) -> tuple[str, str]:
    """File names, with as many folders as it takes to tell them apart."""
    longest = max(len(a.parts), len(b.parts))
    pairs = (("/".join(a.parts[-n:]), "/".join(b.parts[-n:])) for n in range(1, longest + 1))
    return next((pair for pair in pairs if pair[0] != pair[1]), (a.name, b.name))


def _judge(b: Path, worse: list[Change], tolerance: float, bit_exact: bool | None) -> None:
    if bit_exact is False:
        raise CannotMeet(f"{b} differs from the reference", "`tecompile verify` names the first tensor that differs")
    if worse:
        raise CannotMeet(
            f"{b} is worse: {', '.join(c.metric for c in worse)}",
            f"allow for more than {tolerance:g} % with --tolerance",
        )


def _result(console: Console, path: Path, request: Request | None, method: str) -> dict[str, Any]:
    if path.suffix == ".json":
        return read_result(path)
    if request is None:
        raise InvalidInput("no board given", "models are compared on a board: add --board NAME")
    return prove(console, compile_one(console, path, request), Wanted(method)).result.to_json()
