"""The Jinja environment all generated text comes from: strict, without timestamps, the same everywhere."""

from __future__ import annotations

from functools import cache
from importlib import resources

import jinja2


@cache
def environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_load),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # C and assembly, not HTML
    )


def render(template: str, **values: object) -> str:
    return environment().get_template(template).render(**values)


def _load(name: str) -> str | None:
    file = resources.files(f"{__package__}.templates").joinpath(*name.split("/"))
    return file.read_text("utf-8") if file.is_file() else None
