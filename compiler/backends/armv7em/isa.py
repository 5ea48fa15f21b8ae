"""Thumb-2 DSP instructions as data: what each reads and writes, and how it is written down.

Only what our generators use. Text comes from `str(instruction)`, in this one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ...errors import InternalError

LOW_ARGUMENTS = ("r0", "r1", "r2", "r3")
CALLEE_SAVED = ("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")


@dataclass(frozen=True)
class Instr:
    """One instruction. `stack` is how many bytes it moves the stack pointer down."""

    text: str
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    stack: int = 0

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Label:
    """A numeric local label, the target of a backward branch."""

    number: int

    def __str__(self) -> str:
        return f"{self.number}:"


Line: TypeAlias = Instr | Label


def _op(text: str, writes: Iterable[str], reads: Iterable[str], stack: int = 0) -> Instr:
    return Instr(text, frozenset(reads), frozenset(writes), stack)


def _within(value: int, low: int, high: int, step: int = 1) -> int:
    """An immediate that the encoding has room for."""
    if not low <= value <= high or value % step:
        raise InternalError(f"immediate {value} is not one of {low}, {low + step} ... {high}")
    return value


def ldr(rd: str, base: str, offset: int = 0) -> Instr:
    _within(offset, -255, 4095)
    return _op(f"ldr {rd}, [{base}, #{offset}]", [rd], [base])


def ldrd(first: str, second: str, base: str, offset: int) -> Instr:
    """Both addresses must be word aligned."""
    _within(offset, -1020, 1020, 4)
    return _op(f"ldrd {first}, {second}, [{base}, #{offset}]", [first, second], [base])


def ldrd_next(first: str, second: str, base: str) -> Instr:
    """Load two words and step over them."""
    return _op(f"ldrd {first}, {second}, [{base}], #8", [first, second, base], [base])


def ldm_next(base: str, registers: Iterable[str]) -> Instr:
    names = list(registers)
    return _op(f"ldmia {base}!, {{{', '.join(names)}}}", [*names, base], [base])


def stm_next(base: str, registers: Iterable[str]) -> Instr:
    names = list(registers)
    return _op(f"stmia {base}!, {{{', '.join(names)}}}", [base], [*names, base])


def str_(rs: str, base: str, offset: int = 0) -> Instr:
    _within(offset, -255, 4095)
    return _op(f"str {rs}, [{base}, #{offset}]", [], [rs, base])


def strd(first: str, second: str, base: str, offset: int) -> Instr:
    _within(offset, -1020, 1020, 4)
    return _op(f"strd {first}, {second}, [{base}, #{offset}]", [], [first, second, base])


def strb(rs: str, base: str, offset: int) -> Instr:
    _within(offset, -255, 4095)
    return _op(f"strb {rs}, [{base}, #{offset}]", [], [rs, base])


def smlad(rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + a.low * b.low + a.high * b.high."""
    return _op(f"smlad {rd}, {a}, {b}, {acc}", [rd], [a, b, acc])


def sxtb16(rd: str, rs: str) -> Instr:
    """Bytes 0 and 2, sign extended to halves."""
    return _op(f"sxtb16 {rd}, {rs}", [rd], [rs])


def sxtab16(rd: str, base: str, rs: str) -> Instr:
    return _op(f"sxtab16 {rd}, {base}, {rs}", [rd], [base, rs])


def eor_pattern(rd: str, rs: str, pattern: int) -> Instr:
    return _op(f"eor {rd}, {rs}, #0x{pattern:08x}", [rd], [rs])


def smmla(rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + (a * b >> 32)."""
    return _op(f"smmla {rd}, {a}, {b}, {acc}", [rd], [a, b, acc])


def smmlar(rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + (a * b + 2^31 >> 32)."""
    return _op(f"smmlar {rd}, {a}, {b}, {acc}", [rd], [a, b, acc])


def asr(rd: str, rs: str, bits: int) -> Instr:
    _within(bits, 1, 32)
    return _op(f"asr {rd}, {rs}, #{bits}", [rd], [rs])


def asr_by(rd: str, rs: str, bits: str) -> Instr:
    return _op(f"asr {rd}, {rs}, {bits}", [rd], [rs, bits])


def add_sign(rd: str, rn: str, rs: str) -> Instr:
    """rd = rn - (rs < 0)."""
    return _op(f"add {rd}, {rn}, {rs}, asr #31", [rd], [rn, rs])


def ssat8(rd: str, rs: str) -> Instr:
    return _op(f"ssat {rd}, #8, {rs}", [rd], [rs])


def add(rd: str, rn: str, value: int) -> Instr:
    """The plain 12-bit form, which every value up to 4095 has."""
    return _op(f"addw {rd}, {rn}, #{_within(value, 0, 4095)}", [rd], [rn])


def add_register(rd: str, rn: str, rm: str) -> Instr:
    return _op(f"add {rd}, {rn}, {rm}", [rd], [rn, rm])


def constant(rd: str, value: int) -> tuple[Instr, Instr]:
    """Any 32-bit value, in two instructions."""
    low, high = value & 0xFFFF, value >> 16 & 0xFFFF
    return _op(f"movw {rd}, #0x{low:04x}", [rd], []), _op(f"movt {rd}, #0x{high:04x}", [rd], [rd])


def cmp(a: str, b: str) -> Instr:
    return _op(f"cmp {a}, {b}", ["flags"], [a, b])


def bne_back(label: Label) -> Instr:
    return _op(f"bne {label.number}b", [], ["flags"])


def push(registers: Iterable[str]) -> Instr:
    names = list(registers)
    return _op(f"push {{{', '.join(names)}}}", ["sp"], [*names, "sp"], 4 * len(names))


def pop_return(registers: Iterable[str]) -> Instr:
    """Restore what was pushed and return: lr is popped into pc."""
    names = [*registers, "pc"]
    return _op(f"pop {{{', '.join(names)}}}", [*names, "sp"], ["sp"], -4 * len(names))


def grow_stack(nbytes: int) -> Instr:
    return _op(f"sub sp, #{nbytes}", ["sp"], ["sp"], nbytes)


def shrink_stack(nbytes: int) -> Instr:
    return _op(f"add sp, #{nbytes}", ["sp"], ["sp"], -nbytes)
