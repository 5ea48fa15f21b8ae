"""--config FILE.toml: defaults for any long flag, by its name. Flags win."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from .errors import InvalidInput


def load_config(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Settings by parameter name (`-` and `_` are the same); `known` are all that any command has."""
    settings = {key.replace("-", "_"): value for key, value in _parse(path).items()}
    for key, value in settings.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise InvalidInput(f"{path}: unknown setting {key!r}", f"{guess}known are {', '.join(sorted(known))}")
        if isinstance(value, dict):
            raise InvalidInput(f"{path}: {key!r} is a table", f'write `{key} = "..."` at the top level')
    return settings


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror or error}", "--config takes a TOML file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} is not valid TOML: {error}", 'write settings as `board = "stm32h743"`') from error
