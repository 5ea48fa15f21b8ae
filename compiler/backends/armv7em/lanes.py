"""More instructions on the bytes and halves of a word: those that pools need."""

from __future__ import annotations

from collections.abc import Iterable

from .instr import Instr, Unit


def _simd(text: str, writes: Iterable[str], reads: Iterable[str]) -> Instr:
    return Instr(text, frozenset(reads), frozenset(writes), Unit.SIMD)


def sxtah(rd: str, rn: str, rm: str, top: bool = False) -> Instr:
    """rd = rn + one half of rm."""
    return _simd(f"sxtah {rd}, {rn}, {rm}" + (", ror #16" if top else ""), [rd], [rn, rm])


def ssub8(rd: str, a: str, b: str) -> Instr:
    """Byte by byte; the flags tell where a >= b."""
    return _simd(f"ssub8 {rd}, {a}, {b}", [rd, "flags"], [a, b])


def sel(rd: str, a: str, b: str) -> Instr:
    """Bytes of a where the flags are set, else of b."""
    return _simd(f"sel {rd}, {a}, {b}", [rd], [a, b, "flags"])
