"""Multiplications: isa.py has them all, and the other instructions."""

from __future__ import annotations

from .instr import Instr, Unit


def _multiply_add(name: str, rd: str, a: str, b: str, acc: str) -> Instr:
    reads, writes = frozenset({a, b, acc}), frozenset({rd})
    return Instr(f"{name} {rd}, {a}, {b}, {acc}", reads, writes, Unit.MULTIPLY, accumulators=frozenset({acc}) - {a, b})


def _multiply(name: str, rd: str, a: str, b: str) -> Instr:
    return Instr(f"{name} {rd}, {a}, {b}", frozenset({a, b}), frozenset({rd}), Unit.MULTIPLY)


def smlad(rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + a.low * b.low + a.high * b.high."""
    return _multiply_add("smlad", rd, a, b, acc)


def smladx(rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + a.low * b.high + a.high * b.low."""
    return _multiply_add("smladx", rd, a, b, acc)


def smuad(rd: str, a: str, b: str) -> Instr:
    return _multiply("smuad", rd, a, b)


def smla(halves: str, rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + one half of a * one half of b: `halves` is bb, bt, tb or tt."""
    return _multiply_add(f"smla{halves}", rd, a, b, acc)


def smul(halves: str, rd: str, a: str, b: str) -> Instr:
    return _multiply(f"smul{halves}", rd, a, b)


def smlaw(half: str, rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + (a * one half of b >> 16): `half` is b or t."""
    return _multiply_add(f"smlaw{half}", rd, a, b, acc)


def mla(rd: str, a: str, b: str, acc: str) -> Instr:
    return _multiply_add("mla", rd, a, b, acc)


def mul(rd: str, a: str, b: str) -> Instr:
    return _multiply("mul", rd, a, b)


def smlal(low: str, high: str, a: str, b: str) -> Instr:
    """high:low += a * b, 64 bits."""
    factors, sums = frozenset({a, b}), frozenset({low, high})
    return Instr(f"smlal {low}, {high}, {a}, {b}", factors | sums, sums, Unit.MULTIPLY, accumulators=sums - factors)


def smmla(rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + (a * b >> 32)."""
    return _multiply_add("smmla", rd, a, b, acc)


def smmlar(rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + (a * b + 2^31 >> 32)."""
    return _multiply_add("smmlar", rd, a, b, acc)
