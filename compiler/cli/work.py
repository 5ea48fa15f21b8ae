"""What most commands begin with: read, plan and lower the models, and say what is going on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..errors import InvalidInput
from ..ops.chain import left_to_caller
from ..pipeline import Compilation, Request, c_name, check_names, compile_model
from ..report.result import Result, Source, planned_result
from .console import Console


def compile_all(console: Console, models: Sequence[Path], request: Request) -> list[Compilation]:
    """Every model for the same board; their names must tell them apart, as they share a firmware."""
    if len(models) > 1 and request.name is not None:
        raise InvalidInput("--name was given with several models", "leave it out: models are named after their files")
    if len(models) > 1:
        _check_models(models)
    return [compile_one(console, model, request) for model in models]


def _check_models(models: Sequence[Path]) -> None:
    """Before any of them is compiled."""
    for model, times in Counter(model.resolve() for model in models).items():
        if times > 1:
            raise InvalidInput(f"{model.name} was given more than once", "leave the others out: one is enough")
    check_names([c_name(model.stem) for model in models])


def compile_one(console: Console, model: Path, request: Request) -> Compilation:
    with console.working(f"planning {model.name}"):
        compiled = compile_model(read_bytes(model), model.name, request)
    console.detail(f"{model.name}: {len(compiled.graph.ops)} operators, {len(compiled.program.plan.stages)} stages")
    for border in compiled.graph.borders:
        if left := ", ".join(left_to_caller(border)):
            console.note(f"{model.name} goes on in float32 behind {border.inner.name}: {left} is left to the caller")
    return compiled


def read_bytes(model: Path) -> bytes:
    try:
        return model.read_bytes()
    except OSError as error:
        raise InvalidInput(f"can't read {model}: {error.strerror}", "give the path of a .tflite file") from None


def planned(compiled: Compilation) -> Result:
    """What is known before anything was built."""
    request = compiled.request
    source = Source(compiled.source, compiled.sha256, compiled.original.macs, request.kernels, request.optimize.value)
    return planned_result(compiled.program, request.board, source)
