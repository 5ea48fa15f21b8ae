"""The program itself: default command, suggestions, and what becomes of errors."""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from .. import __version__
from ..errors import CannotMeet, InvalidInput, TecompileError
from .bench import bench
from .build import compile_
from .compare import compare
from .console import report_error
from .inspect import inspect
from .lists import boards, doctor, ops
from .page import report
from .plan import plan
from .reference import run
from .verify import verify

COMMANDS = (compile_, inspect, plan, run, verify, bench, compare, report, boards, ops, doctor)
INTERRUPTED = 130


class App(click.Group):
    """Like any click group, but `tecompile model.tflite` compiles, and every error is two lines."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        arguments = list(sys.argv[1:] if args is None else args) or ["--help"]
        extra = {**extra, "prog_name": "tecompile", "standalone_mode": False}
        try:
            super().main(self._with_command(arguments), *rest, **extra)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has heard enough
            sys.exit(1)
        except click.exceptions.Exit as done:
            sys.exit(done.exit_code)
        except (click.Abort, KeyboardInterrupt):
            report_error(CannotMeet("interrupted", "nothing was written; run it again when you like"))
            sys.exit(INTERRUPTED)
        except Exception as error:
            sys.exit(fail(error, verbose=not {"-v", "--verbose"}.isdisjoint(arguments)))
        sys.exit(0)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [command.name or "" for command in COMMANDS]  # in the order one meets them

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.commands:
            raise _unknown_command(args[0], self.commands)
        return super().resolve_command(ctx, args)

    def _with_command(self, arguments: list[str]) -> list[str]:
        """`compile` is understood where a model is given without a command."""
        first = next(_words(arguments, self._flags_with_values()), "")
        return ["compile", *arguments] if first not in self.commands and _is_model(first) else arguments

    def _flags_with_values(self) -> set[str]:
        options = [p for command in self.commands.values() for p in command.params if isinstance(p, click.Option)]
        return {flag for option in options if not option.is_flag for flag in option.opts}


def _words(arguments: Sequence[str], flags_with_values: set[str]) -> Iterator[str]:
    """What is neither an option nor an option's value."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            yield from rest
        elif argument in flags_with_values:
            next(rest, None)
        elif not argument.startswith("-"):
            yield argument


def _is_model(argument: str) -> bool:
    return argument.endswith(".tflite") or (argument != "" and Path(argument).exists())


def _unknown_command(name: str, known: Sequence[str] | Any) -> InvalidInput:
    near = difflib.get_close_matches(name, known, n=1)
    guess = f"did you mean `tecompile {near[0]}`? " if near else ""
    return InvalidInput(
        f"no such command: {name}", f"{guess}a model is a .tflite file; `tecompile --help` lists commands"
    )


def fail(error: Exception, verbose: bool) -> int:
    """Says what went wrong in two lines; the exit code."""
    if verbose and not isinstance(error, click.ClickException):
        traceback.print_exception(error)
    known = described(error)
    report_error(known)
    return known.exit_code


def described(error: Exception) -> TecompileError:
    """Whatever was raised, as an error with a hint."""
    if isinstance(error, TecompileError):
        return error
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, OSError):
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return CannotMeet(what, "check that the path exists, may be written to, and has space left")
    return CannotMeet(
        f"internal error: {type(error).__name__}: {error}",
        "this is a bug in tecompile: please report it with the model file and the output of -v",
    )


def _usage(error: click.ClickException) -> InvalidInput:
    message = error.format_message().rstrip(".").split("\n")[0]
    hint = "see `tecompile --help`"
    context = getattr(error, "ctx", None)
    if context is not None:
        hint = f"see `{context.command_path} --help`"
    if isinstance(error, click.NoSuchOption):
        message = f"no such option: {error.option_name}"
        hint = f"did you mean {' or '.join(error.possibilities)}? {hint}" if error.possibilities else hint
    if isinstance(error, click.MissingParameter) and error.param is not None and error.param.name == "board":
        message, hint = "no board given", "add --board NAME; `tecompile boards` lists all of them"
    return InvalidInput(message[:1].lower() + message[1:], hint)


@click.group(cls=App, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="tecompile %(version)s")
def app() -> None:
    """int8 TFLite models to verified Cortex-M firmware.

    \b
    tecompile model.tflite --board stm32h743      a project that builds, proven equal to the reference
    tecompile inspect model.tflite                what the model is, and whether it can be compiled
    tecompile boards                              where it can run
    """


for command in COMMANDS:
    app.add_command(command)


def main() -> None:
    app()
