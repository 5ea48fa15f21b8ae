"""--config FILE.toml: defaults for any long flag, by its name. Flags win."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from .errors import InvalidInput


class Kind(Enum):
    """What a setting may be, as messages say it."""

    TEXT = "text in quotes"
    TEXTS = "text in quotes, or a list of texts"
    WHOLE = "a whole number"
    NUMBER = "a number"
    SWITCH = "true or false"

    def suits(self, value: object) -> bool:
        match self:
            case Kind.TEXT:
                return isinstance(value, str)
            case Kind.TEXTS:
                return isinstance(value, str) or (isinstance(value, list) and all(isinstance(v, str) for v in value))
            case Kind.SWITCH:
                return isinstance(value, bool)
            case Kind.WHOLE:
                return isinstance(value, int) and not isinstance(value, bool)
            case Kind.NUMBER:
                return isinstance(value, int | float) and not isinstance(value, bool)


def load_config(path: Path, known: Mapping[str, Kind]) -> dict[str, Any]:
    """Settings by parameter name (`-` and `_` are the same); `known` are all that any command has."""
    settings = {key.replace("-", "_"): value for key, value in _parse(path).items()}
    for key, value in settings.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise InvalidInput(f"{path}: unknown setting {key!r}", f"{guess}known are {', '.join(sorted(known))}")
        if isinstance(value, dict):
            raise InvalidInput(f"{path}: {key!r} is a table", f'write `{key} = "..."` at the top level')
        if not known[key].suits(value):
            raise InvalidInput(
                f"{path}: {key!r} is {value!r}, which is not {known[key].value}",
                "settings are written as the flag of that name, texts in quotes",
            )
    return settings


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror or error}", "--config takes a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not valid TOML: {error}", 'write settings as `board = "stm32h743"`') from error
