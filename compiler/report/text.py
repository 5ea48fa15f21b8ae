"""Plain text that reads well: tables, numbers, and nothing a terminal could trip over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

UNKNOWN = "n/a"
LEAST_COLUMN = 6  # characters that a shortened column keeps
SIMPLER = str.maketrans({"…": "...", "×": "x", "–": "-", "—": "-", "→": "->", "·": "*", "≥": ">=", "≤": "<=", "█": "#"})
READABLE = 12  # to which a column is shortened before an optional one goes
_NUMBER = re.compile(r"[-+]?[\d,.]+( ?%| KiB)?|n/a|-|")


@dataclass(frozen=True)
class Table:
    """Columns with a header; numbers align right. On narrow terminals the widest text gives way, but not the first.

    Columns named in `optional` are left out, in that order, before others become hard to read.
    """

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    optional: tuple[str, ...] = ()

    def lines(self, width: int | None = None) -> list[str]:
        cells = [tuple(map(clean, row)) for row in (self.header, *self.rows)]
        natural = [max(len(row[i]) for row in cells) for i in range(len(self.header))]
        right = [i > 0 and all(_NUMBER.fullmatch(row[i]) for row in cells[1:]) for i in range(len(self.header))]
        widths = natural if width is None else _squeeze(natural, right, width)
        tight = any(now < min(before, READABLE) for now, before in zip(widths, natural, strict=True))
        if width is not None and self.optional and (tight or sum(widths) + 2 * (len(widths) - 1) > width):
            return self._without(self.optional[0]).lines(width)
        return [_line(row, widths, right) for row in cells]

    def _without(self, column: str) -> Table:
        kept = [i for i, name in enumerate(self.header) if name != column]
        rows = [[row[i] for i in kept] for row in self.rows]
        return Table(tuple(self.header[i] for i in kept), rows, self.optional[1:])


def pairs(rows: Sequence[tuple[str, str]]) -> list[str]:
    """`name  value` lines with the values aligned."""
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {clean(value)}" for name, value in rows]


def number(value: float | None) -> str:
    """1,234,567, or n/a for what is not known."""
    if value is None:
        return UNKNOWN
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def size(value: int | None) -> str:
    """Bytes, with KiB where that is easier to grasp."""
    if value is None:
        return UNKNOWN
    return f"{value:,} bytes" if value < 1024 else f"{value:,} bytes ({value / 1024:,.1f} KiB)"


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else UNKNOWN


def shorten(text: str, width: int) -> str:
    """Both ends of a long name matter: `model/block_3.../BiasAdd`; of a sentence, the beginning."""
    if len(text) <= width:
        return text
    if " " in text:
        return text[: width - 1].rstrip() + "…"
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def clean(text: str) -> str:
    """Names come from files we do not trust: no control characters reach the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text: str) -> str:
    """Errors are two lines, whatever a compiler had to say."""
    return clean("; ".join(line.strip() for line in text.splitlines() if line.strip()).replace(":; ", ": "))


def encodable(text: str, encoding: str) -> str:
    """The same in whatever the stream can take."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        text = text.translate(SIMPLER).encode("ascii", "backslashreplace").decode()
    return text


def _squeeze(widths: list[int], right: list[bool], width: int) -> list[int]:
    """Takes what is too much from the widest text column, again and again."""
    widths = list(widths)
    flexible = [i for i, numeric in enumerate(right) if i and not numeric]
    while sum(widths) + 2 * (len(widths) - 1) > width and flexible:
        widest = max(flexible, key=lambda i: widths[i])
        if widths[widest] <= LEAST_COLUMN:
            break
        widths[widest] -= 1
    return widths


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = (shorten(cell, width) for cell, width in zip(row, widths, strict=True))
    padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
    return "  ".join(padded).rstrip()
