"""`tecompile compile`, the default command: models to a firmware project, proven before it appears."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import click

from .. import __version__
from ..output import Written, check_folder, write_folder
from ..pipeline import Compilation, Request, project_files
from ..report.result import Result
from ..report.summary import summary_lines
from .console import Console
from .options import LATER_PROJECTS, METHODS, PROJECTS, Name, build_options, common_options, verify_option
from .proof import Wanted, prove_all
from .work import compile_all


@click.command("compile")
@click.argument("models", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="MODEL...")
@build_options
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the project.")
@click.option("--project", "kinds", multiple=True, type=Name((*PROJECTS, "all"), LATER_PROJECTS),
              help="Repeatable; default: what suits the board.")  # fmt: skip
@verify_option(*METHODS)
@click.option("--force", is_flag=True, help="Write into any folder, and over edited files.")
@common_options
def compile_(
    console: Console,
    as_json: bool,
    models: Sequence[Path],
    request: Request,
    output: Path | None,
    kinds: Sequence[str],
    method: str,
    force: bool,
) -> None:
    """A firmware project, proven equal to the reference (the default command)."""
    folder = output or Path(f"{models[0].stem}-{request.board.name}")
    check_folder(folder, force)
    compiled = compile_all(console, models, request)
    results = [outcome.demanded().result for outcome in prove_all(console, compiled, Wanted(method))]
    report = _report(results)
    written = write_folder(folder, _files(compiled, _kinds(kinds, request)), report, force)
    for name in written.kept:
        console.note(f"kept {folder / name}, which you edited (--force replaces it)")
    if as_json:
        console.json({**report, "output": str(folder), "files": list(written.files)})
    elif not console.quiet:
        console.data(_story(results, folder, written))


def _kinds(kinds: Sequence[str], request: Request) -> tuple[str, ...]:
    suitable = tuple(kind for kind in request.board.projects if kind in PROJECTS)
    return suitable if "all" in kinds else tuple(dict.fromkeys(kinds)) or suitable[:1]


def _files(compiled: Sequence[Compilation], kinds: Sequence[str]) -> dict[str, str]:
    """One kind lies at the top of the folder, several in a folder each."""
    if len(kinds) == 1:
        return project_files(compiled, kinds[0])
    return {f"{kind}/{path}": text for kind in kinds for path, text in project_files(compiled, kind).items()}


def _report(results: Sequence[Result]) -> dict[str, Any]:
    """One model: the keys of the contract; several: a list of them."""
    if len(results) == 1:
        return results[0].to_json()
    return {"tecompile": __version__, "models": [r.to_json() for r in results]}


def _story(results: Sequence[Result], folder: Path, written: Written) -> list[str]:
    lines = [line for result in results for line in (*summary_lines(result), "")]
    guides = [folder / name for name in written.files if PurePosixPath(name).name == "README.md"]
    say = "says" if len(guides) == 1 else "say"
    told = f"{', '.join(map(str, guides))} {say} how to build and flash them"
    return [*lines, f"{len(written.files)} files in {folder}; {told}"]
