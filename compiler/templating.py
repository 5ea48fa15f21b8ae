"""The one place where templates become text: strict, without timestamps, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

import jinja2


def read_template(path: str) -> str:
    """A file of templates/ as it stands."""
    file = resources.files(f"{__package__}.templates").joinpath(*path.split("/"))
    return file.read_text("utf-8")


def render(path: str, **context: Any) -> str:
    return environment().get_template(path).render(context)


@cache
def environment(autoescape: bool = False) -> jinja2.Environment:
    """`autoescape` for pages: their names come from files we do not trust."""
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(read_template),
        undefined=jinja2.StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"c_hex": c_hex, "wrap_list": wrap_list}
    return made


def c_hex(value: int, digits: int = 8) -> str:
    """`0x08000000`: an address or a mask as C and linker scripts read it."""
    return f"0x{value:0{digits}X}"


def wrap_list(items: Iterable[object], width: int = 100, indent: int = 4) -> str:
    """`1, 2, 3, ...` in lines of at most `width` columns."""
    lines, line = [], ""
    for text in (f"{item}," for item in items):
        if line and indent + len(line) + 1 + len(text) > width:
            lines.append(line)
            line = ""
        line = f"{line} {text}" if line else text
    return "\n".join(" " * indent + text for text in [*lines, line] if text)
