"""Where words go: data to stdout, messages to stderr, progress to terminals only."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

import click

from ..errors import TecompileError
from ..report.text import encodable, one_line


@dataclass(frozen=True)
class Console:
    verbose: bool = False
    quiet: bool = False

    def data(self, lines: Sequence[str]) -> None:
        for line in lines:
            _write(sys.stdout, line)

    def json(self, value: Mapping[str, Any]) -> None:
        _write(sys.stdout, json.dumps(_valid(value), indent=2, allow_nan=False))

    def note(self, text: str) -> None:
        if not self.quiet:
            _write(sys.stderr, text)

    def detail(self, text: str) -> None:
        if self.verbose:
            _write(sys.stderr, text)

    def warn(self, text: str, hint: str) -> None:
        if not self.quiet:
            _write(sys.stderr, _paint(sys.stderr, "warning: ", "yellow") + one_line(text))
            _write(sys.stderr, _paint(sys.stderr, "hint: ", "cyan") + one_line(hint))

    @contextmanager
    def working(self, what: str) -> Iterator[Callable[[str], None]]:
        """Says what takes long, lets it say how far it is, and takes it all back when done."""
        shown = sys.stderr.isatty() and not self.quiet
        width = 0

        def show(text: str) -> None:
            nonlocal width
            if shown:
                sys.stderr.write("\r" + text.ljust(width) + ("\r" if not text else ""))
                sys.stderr.flush()
                width = len(text)

        show(f"{what} ...")
        try:
            yield lambda detail: show(f"{what} ... {detail}")
        finally:
            show("")


def _valid(value: Any) -> Any:
    """JSON has no infinity and no NaN: they become strings that float() reads."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _valid(item) for key, item in value.items()}
    return [_valid(item) for item in value] if isinstance(value, list | tuple) else value


def report_error(error: TecompileError) -> None:
    """The two lines every error ends in."""
    _write(sys.stderr, _paint(sys.stderr, "error: ", "red") + one_line(error.message))
    _write(sys.stderr, _paint(sys.stderr, "hint: ", "cyan") + one_line(error.hint))


def terminal_width() -> int | None:
    """Columns of the terminal on stdout; None where lines may be of any length (files, pipes)."""
    return max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def _paint(stream: TextIO, text: str, colour: str) -> str:
    wanted = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return click.style(text, fg=colour, bold=True) if wanted else text


def _write(stream: TextIO, text: str) -> None:
    click.echo(encodable(text, stream.encoding or "ascii"), file=stream)
