"""More instructions on the bytes and halves of a word: those that few kernels need."""

from __future__ import annotations

from collections.abc import Iterable

from .instr import Instr, Unit


def _simd(text: str, writes: Iterable[str], reads: Iterable[str]) -> Instr:
    return Instr(text, frozenset(reads), frozenset(writes), Unit.SIMD)


def pkhtb(rd: str, high: str, low: str) -> Instr:
    """The high half of `high`, and below it that of `low`."""
    return _simd(f"pkhtb {rd}, {high}, {low}, asr #16", [rd], [high, low])


def ubfx(rd: str, rs: str, first: int, bits: int) -> Instr:
    return Instr(f"ubfx {rd}, {rs}, #{first}, #{bits}", frozenset({rs}), frozenset({rd}), Unit.SHIFT)


def bfi(rd: str, rs: str, first: int, bits: int) -> Instr:
    """The lowest bits of rs into rd, from bit `first` on."""
    return Instr(f"bfi {rd}, {rs}, #{first}, #{bits}", frozenset({rd, rs}), frozenset({rd}), Unit.SHIFT)


def sxtah(rd: str, rn: str, rm: str, top: bool = False) -> Instr:
    """rd = rn + one half of rm."""
    return _simd(f"sxtah {rd}, {rn}, {rm}" + (", ror #16" if top else ""), [rd], [rn, rm])


def ssub8(rd: str, a: str, b: str) -> Instr:
    """Byte by byte; the flags tell where a >= b."""
    return _simd(f"ssub8 {rd}, {a}, {b}", [rd, "flags"], [a, b])


def sel(rd: str, a: str, b: str) -> Instr:
    """Bytes of a where the flags are set, else of b."""
    return _simd(f"sel {rd}, {a}, {b}", [rd], [a, b, "flags"])
