"""Two results side by side: what got better, what got worse, by how much."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..errors import InvalidInput
from .text import Table, number

SAVE = "save one with `tecompile bench ... --json`"
MOST = 1e18  # beyond is nothing that one can count in a firmware
METRICS = (
    "macs",
    "macs_live",
    "macs_executed",
    "instructions",
    "cycles_estimate",
    "ms_estimate",
    "arena_bytes",
    "input_bytes",
    "ram_bytes",
    "stack_bytes",
    "flash_bytes",
    "weights_bytes",
    "code_bytes",
)  # of all of them, less is better


@dataclass(frozen=True)
class Change:
    """One figure in both results; unknown in either: not comparable, never worse."""

    metric: str
    before: float | None
    after: float | None

    @property
    def percent(self) -> float | None:
        if self.before is None or self.after is None:
            return None
        if self.before == 0:
            return 0.0 if self.after == 0 else float("inf")
        return 100 * (self.after - self.before) / self.before

    def worse(self, tolerance: float) -> bool:
        return self.percent is not None and self.percent > tolerance


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Estimates for a plan and for what was executed do not compare: one is rougher than the other."""
    alike = (before.get("instructions") is None) == (after.get("instructions") is None)
    known = [m for m in METRICS if alike or not m.endswith("_estimate")]
    return tuple(Change(m, before.get(m) if m in known else None, after.get(m)) for m in METRICS)


def change_lines(names: tuple[str, str], found: tuple[Change, ...], width: int | None) -> list[str]:
    rows = [(c.metric, number(c.before), number(c.after), _signed(c.percent)) for c in found]
    return Table(("", *names, "change"), rows).lines(width)


def change_json(found: tuple[Change, ...]) -> dict[str, Any]:
    """Ratios with no number (from zero) are null."""
    return {
        c.metric: {"a": c.before, "b": c.after, "change_percent": None if c.percent == float("inf") else c.percent}
        for c in found
    }


def read_result(path: Path) -> dict[str, Any]:
    """A file that `--json` or a report.json holds."""
    try:
        result = json.loads(path.read_text("utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise InvalidInput(
            f"can't read {path}: {error.strerror}", "give two models or two saved --json results"
        ) from None
    except RecursionError:
        raise InvalidInput(f"{path} is not a result of tecompile: it is nested too deep", SAVE) from None
    except ValueError as error:
        raise InvalidInput(f"{path} is not valid JSON: {error}", SAVE) from None
    if not isinstance(result, dict) or "arena_bytes" not in result or not _numeric(result):
        raise InvalidInput(f"{path} is not a result of tecompile", SAVE)
    return result


def _numeric(result: Mapping[str, Any]) -> bool:
    return all(_is_figure(result.get(m)) for m in METRICS) and result.get("bit_exact") in (True, False, None)


def _is_figure(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MOST and math.isfinite(value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _signed(percent: float | None) -> str:
    if percent is None:
        return "n/a"
    return "=" if percent == 0 else f"{percent:+.1f} %"
