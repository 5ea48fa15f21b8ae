"""Options that several commands share, and what they become.

What the contract promises but this version can't do yet is accepted, left out of --help, and answered
with one clear error: scripts learn what is wrong, readers learn only what works.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeAlias

import click

from ..backends import BACKENDS
from ..board import load_board
from ..config import Kind, load_config
from ..errors import CannotMeet
from ..frontend import POLICIES
from ..pipeline import Request
from ..planner.planner import Optimize
from ..render.project import KINDS
from .console import Console

Command: TypeAlias = Callable[..., None]

PROJECTS = tuple(KINDS)
LATER_PROJECTS = ("cubeide", "mbed", "zephyr", "platformio", "arduino", "openmv")
KERNELS = tuple(BACKENDS)
LATER_KERNELS = ("cmsis-nn", "trec")
METHODS = ("auto", "host", "unicorn", "qemu", "none")


class Name(click.ParamType):  # type: ignore[type-arg]  # not subscriptable before click 8.4
    """One of some names; those of `later` are known, but not built yet."""

    name = "name"

    def __init__(self, names: tuple[str, ...], later: tuple[str, ...] = ()) -> None:
        self.names = names
        self.later = later

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "[" + "|".join(self.names) + "]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).lower()
        if text in self.later:
            raise _not_available(f"{param.opts[0] if param else ''} {text}", f"available are {', '.join(self.names)}")
        if text not in self.names:
            near = difflib.get_close_matches(text, self.names, n=1)
            guess = f"; did you mean {near[0]}?" if near else ""
            self.fail(f"{value!r} is not one of {', '.join(self.names)}{guess}", param, ctx)
        return text


class Whole(click.IntRange):
    """A whole number that is not too small, and a message that says so."""

    name = "whole number"

    def __init__(self, least: int) -> None:
        super().__init__(min=least)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a whole number of at least {self.min}", param, ctx)


class Percent(click.FloatRange):
    """Any amount, but an amount."""

    name = "percent"

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            number = super().convert(value, param, ctx)
        except click.BadParameter:
            number = math.nan
        return self.fail(f"{value!r} is not a number of at least 0", param, ctx) if math.isnan(number) else number


def build_options(command: Command) -> Command:
    """What a model is compiled for and how: arrives as one `request`."""
    return _build_options(command, board_required=True)


def optional_build_options(command: Command) -> Command:
    """The same where a board may not be needed: `request` is None without one."""
    return _build_options(command, board_required=False)


def _build_options(command: Command, board_required: bool) -> Command:
    @wraps(command)
    def wrapper(board: str | None, optimize: str, **rest: Any) -> None:
        own = {key: rest.pop(key) for key in ("name", "kernels", "ram", "exact", "rounding")}
        found = None if board is None else load_board(board)
        command(request=None if found is None else Request(board=found, optimize=Optimize(optimize), **own), **rest)

    options = (
        click.option("--board", required=board_required, metavar="NAME",
                     help="Board or chip; `tecompile boards` lists them."),
        click.option("--name", help="Name of the model in C; default: the file's."),
        click.option("--kernels", type=Name(KERNELS, LATER_KERNELS), default="native", show_default=True,
                     help="portable: C only, no assembly."),
        click.option("--optimize", type=Name(tuple(o.value for o in Optimize)), default="balanced", show_default=True,
                     help="balanced: least RAM for 5 % more instructions; ram: least RAM; speed; size: least flash."),
        click.option("--ram", type=Whole(1), metavar="BYTES", help="Upper bound of the arena."),
        click.option("--exact", is_flag=True, help="Place buffers with OR-tools' CP-SAT (needs tecompile[exact])."),
        click.option("--rounding", type=Name(tuple(POLICIES)), default="tflm", show_default=True,
                     help="Whose arithmetic to equal."),
        _later("--stream-input", is_flag=True),
        _later("--no-prune-dead", is_flag=True),
        _later("--trec", metavar="SIDECAR"),
    )  # fmt: skip
    return _apply(options, wrapper)


def common_options(command: Command) -> Command:
    """How a command speaks: arrives as `console` and `as_json`."""

    @wraps(command)
    def wrapper(verbose: bool, quiet: bool, **rest: Any) -> None:
        command(console=Console(verbose, quiet), **rest)

    options = (
        click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout."),
        click.option("--config", type=click.Path(path_type=Path), is_eager=True, expose_value=False, metavar="FILE",
                     callback=_configure, help="TOML file with defaults for any of these options."),
        click.option("-v", "--verbose", is_flag=True, help="Say more; tracebacks of internal errors."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors and what was asked for."),
    )  # fmt: skip
    return _apply(options, wrapper)


def verify_option(*methods: str) -> Callable[[Command], Command]:
    return click.option(
        "--verify", "method", type=Name(methods), default="auto", show_default=True, help="Where to run the proof."
    )


inputs_option = click.option(
    "--inputs", type=Whole(1), default=1, show_default=True, metavar="N", help="Random inputs to compare."
)
seed_option = click.option(
    "--seed", type=Whole(0), metavar="S", default=1, show_default=True, help="Of the random inputs."
)
model_argument = click.argument("model", type=click.Path(path_type=Path))


def _configure(ctx: click.Context, _param: click.Parameter, value: Path | None) -> None:
    """Settings of a file become the defaults of this command's options."""
    group = ctx.find_root().command
    commands = group.commands.values() if isinstance(group, click.Group) else (ctx.command,)
    options = [p for c in commands for p in c.params if isinstance(p, click.Option) and not p.hidden]
    known = {_long_name(p): _kind(p) for p in options if p.name not in ("config", "help")}
    if value is None:
        return
    settings = load_config(value, known)
    own = {_long_name(p): p for p in ctx.command.params if isinstance(p, click.Option)}
    ctx.default_map = {
        own[key].name or key: [item] if own[key].multiple and isinstance(item, str) else item
        for key, item in settings.items()
        if key in own
    }


def _kind(option: click.Option) -> Kind:
    """What a configuration file may say for it."""
    if option.is_flag:
        return Kind.SWITCH
    if isinstance(option.type, click.types.FloatParamType):
        return Kind.NUMBER
    if isinstance(option.type, click.types.IntParamType):
        return Kind.WHOLE
    return Kind.TEXTS if option.multiple else Kind.TEXT


def _long_name(option: click.Option) -> str:
    """`--no-prune-dead` is `no_prune_dead` in a configuration file."""
    return max(option.opts, key=len).lstrip("-").replace("-", "_")


def _later(flag: str, **kwargs: Any) -> Callable[[Command], Command]:
    """An option of the contract that this version can't honour."""

    def refuse(_ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value:
            raise _not_available(flag, "leave it out; `--help` shows what this version can do")

    return click.option(flag, hidden=True, expose_value=False, callback=refuse, **kwargs)


def _not_available(what: str, hint: str) -> CannotMeet:
    return CannotMeet(f"{what} is not available in this version", hint)


def _apply(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
