"""Thumb-2 DSP instructions, as our generators use them: text, and what each reads and writes, in this one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...errors import InternalError
from .instr import Instr, Label, Unit

LOW_ARGUMENTS = ("r0", "r1", "r2", "r3")
CALLEE_SAVED = ("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
LARGEST_OFFSET = 4095  # of LDR, STR and their kin; of LDRD and STRD:
LARGEST_PAIR_OFFSET = 1020


def _within(value: int, low: int, high: int, step: int = 1) -> int:
    """An immediate that the encoding has room for."""
    if not low <= value <= high or value % step:
        raise InternalError(f"immediate {value} is not one of {low}, {low + step} ... {high}")
    return value


# --- loads and stores ----------------------------------------------------------------------------------------


def _load(text: str, writes: Iterable[str], base: str, words: int = 1) -> Instr:
    return Instr(text, frozenset({base}), frozenset(writes), Unit.LOAD, base=base, words=words)


def _store(text: str, values: Iterable[str], base: str, words: int = 1, writes: Iterable[str] = ()) -> Instr:
    return Instr(text, frozenset({*values, base}), frozenset(writes), Unit.STORE, base=base, words=words)


def _at(base: str, offset: int) -> str:
    return f"[{base}, #{_within(offset, -255, LARGEST_OFFSET)}]"


def _pair_at(base: str, offset: int) -> str:
    return f"[{base}, #{_within(offset, -LARGEST_PAIR_OFFSET, LARGEST_PAIR_OFFSET, 4)}]"


def _then(base: str, step: int) -> str:
    """Step over it after the access."""
    return f"[{base}], #{_within(step, -255, 255)}"


def ldr(rd: str, base: str, offset: int = 0) -> Instr:
    """A word from any address."""
    return _load(f"ldr {rd}, {_at(base, offset)}", [rd], base)


def ldr_next(rd: str, base: str, step: int = 4) -> Instr:
    return _load(f"ldr {rd}, {_then(base, step)}", [rd, base], base)


def ldr_indexed(rd: str, base: str, index: str, lsl: int = 0) -> Instr:
    """A word at base + (index << lsl)."""
    shifted = f", lsl #{_within(lsl, 1, 3)}" if lsl else ""
    return replace(_load(f"ldr {rd}, [{base}, {index}{shifted}]", [rd], base), reads=frozenset({base, index}))


def ldrb(rd: str, base: str, offset: int = 0) -> Instr:
    """A byte without sign."""
    return _load(f"ldrb {rd}, {_at(base, offset)}", [rd], base)


def ldrsb(rd: str, base: str, offset: int = 0) -> Instr:
    return _load(f"ldrsb {rd}, {_at(base, offset)}", [rd], base)


def ldrsb_next(rd: str, base: str, step: int = 1) -> Instr:
    return _load(f"ldrsb {rd}, {_then(base, step)}", [rd, base], base)


def ldrh(rd: str, base: str, offset: int = 0) -> Instr:
    return _load(f"ldrh {rd}, {_at(base, offset)}", [rd], base)


def ldrd(first: str, second: str, base: str, offset: int = 0) -> Instr:
    """Both addresses must be word aligned."""
    pair = _load(f"ldrd {first}, {second}, {_pair_at(base, offset)}", [first, second], base, 2)
    if offset < -255:
        return pair
    singles = ldr(first, base, offset), ldr(second, base, offset + 4)
    return replace(pair, singles=singles if first != base else singles[::-1])


def ldrd_next(first: str, second: str, base: str, step: int = 8) -> Instr:
    """Load two words and step over them."""
    _within(step, -LARGEST_PAIR_OFFSET, LARGEST_PAIR_OFFSET, 4)
    pair = _load(f"ldrd {first}, {second}, [{base}], #{step}", [first, second, base], base, 2)
    fits = abs(step - 4) <= 255
    return replace(pair, singles=(ldr_next(first, base), ldr_next(second, base, step - 4))) if fits else pair


def ldm(base: str, registers: Iterable[str]) -> Instr:
    names = list(registers)
    singles = tuple(ldr(name, base, 4 * i) for i, name in enumerate(names) if base not in names)
    return replace(_load(f"ldmia {base}, {{{', '.join(names)}}}", names, base, len(names)), singles=singles)


def ldm_next(base: str, registers: Iterable[str]) -> Instr:
    names = list(registers)
    loads = _load(f"ldmia {base}!, {{{', '.join(names)}}}", [*names, base], base, len(names))
    return replace(loads, singles=tuple(ldr_next(name, base) for name in names))


def stm_next(base: str, registers: Iterable[str]) -> Instr:
    names = list(registers)
    return _store(f"stmia {base}!, {{{', '.join(names)}}}", names, base, len(names), [base])


def str_(rs: str, base: str, offset: int = 0) -> Instr:
    return _store(f"str {rs}, {_at(base, offset)}", [rs], base)


def str_next(rs: str, base: str, step: int = 4) -> Instr:
    return _store(f"str {rs}, {_then(base, step)}", [rs], base, writes=[base])


def strd(first: str, second: str, base: str, offset: int = 0) -> Instr:
    return _store(f"strd {first}, {second}, {_pair_at(base, offset)}", [first, second], base, 2)


def strb(rs: str, base: str, offset: int = 0) -> Instr:
    return _store(f"strb {rs}, {_at(base, offset)}", [rs], base)


def strb_next(rs: str, base: str, step: int = 1) -> Instr:
    return _store(f"strb {rs}, {_then(base, step)}", [rs], base, writes=[base])


def strh(rs: str, base: str, offset: int = 0) -> Instr:
    return _store(f"strh {rs}, {_at(base, offset)}", [rs], base)


def strh_next(rs: str, base: str, step: int = 2) -> Instr:
    return _store(f"strh {rs}, {_then(base, step)}", [rs], base, writes=[base])


# --- bytes and halves ----------------------------------------------------------------------------------------


def _rotated(rs: str, bits: int) -> str:
    _within(bits, 0, 24, 8)
    return f"{rs}, ror #{bits}" if bits else rs


def _simd(text: str, writes: str, reads: Iterable[str]) -> Instr:
    return Instr(text, frozenset(reads), frozenset({writes}), Unit.SIMD)


def _shift(text: str, writes: str, reads: Iterable[str]) -> Instr:
    return Instr(text, frozenset(reads), frozenset({writes}), Unit.SHIFT)


def sxtb16(rd: str, rs: str, ror: int = 0) -> Instr:
    """Bytes 0 and 2, sign extended to halves; of the word rotated right."""
    return _simd(f"sxtb16 {rd}, {_rotated(rs, ror)}", rd, [rs])


def sxtab16(rd: str, base: str, rs: str, ror: int = 0) -> Instr:
    """The same, added to the halves of `base`."""
    return _simd(f"sxtab16 {rd}, {base}, {_rotated(rs, ror)}", rd, [base, rs])


def sxtb(rd: str, rs: str, ror: int = 0) -> Instr:
    """Byte 0 of the word rotated right, sign extended."""
    return _shift(f"sxtb {rd}, {_rotated(rs, ror)}", rd, [rs])


def uxtb(rd: str, rs: str, ror: int = 0) -> Instr:
    return _shift(f"uxtb {rd}, {_rotated(rs, ror)}", rd, [rs])


def sadd16(rd: str, a: str, b: str) -> Instr:
    return _simd(f"sadd16 {rd}, {a}, {b}", rd, [a, b])


def pkhbt(rd: str, low: str, high: str, lsl: int = 16) -> Instr:
    """The low half of `low`, and above it that of `high << lsl`."""
    _within(lsl, 0, 31)
    return _simd(f"pkhbt {rd}, {low}, {high}" + (f", lsl #{lsl}" if lsl else ""), rd, [low, high])


def ssat8(rd: str, rs: str, asr: int = 0) -> Instr:
    """Into -128 ... 127."""
    _within(asr, 0, 31)
    return _simd(f"ssat {rd}, #8, {rs}" + (f", asr #{asr}" if asr else ""), rd, [rs])


def ssat16(rd: str, rs: str, asr: int = 0) -> Instr:
    """Into -32768 ... 32767."""
    _within(asr, 0, 31)
    return _simd(f"ssat {rd}, #16, {rs}" + (f", asr #{asr}" if asr else ""), rd, [rs])


def usat(rd: str, bits: int, rs: str, asr: int = 0) -> Instr:
    """Into 0 ... 2^bits - 1."""
    _within(bits, 0, 31)
    _within(asr, 0, 31)
    return _simd(f"usat {rd}, #{bits}, {rs}" + (f", asr #{asr}" if asr else ""), rd, [rs])


# --- multiplications -----------------------------------------------------------------------------------------


def _multiply_add(name: str, rd: str, a: str, b: str, acc: str) -> Instr:
    reads, writes = frozenset({a, b, acc}), frozenset({rd})
    return Instr(f"{name} {rd}, {a}, {b}, {acc}", reads, writes, Unit.MULTIPLY, accumulators=frozenset({acc}) - {a, b})


def smlad(rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + a.low * b.low + a.high * b.high."""
    return _multiply_add("smlad", rd, a, b, acc)


def smla(halves: str, rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + one half of a * one half of b: `halves` is bb, bt, tb or tt."""
    return _multiply_add(f"smla{halves}", rd, a, b, acc)


def smul(halves: str, rd: str, a: str, b: str) -> Instr:
    return Instr(f"smul{halves} {rd}, {a}, {b}", frozenset({a, b}), frozenset({rd}), Unit.MULTIPLY)


def smlaw(half: str, rd: str, a: str, b: str, acc: str) -> Instr:
    """rd = acc + (a * one half of b >> 16): `half` is b or t."""
    return _multiply_add(f"smlaw{half}", rd, a, b, acc)


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


# --- everything else -----------------------------------------------------------------------------------------


def _alu(text: str, writes: Iterable[str], reads: Iterable[str]) -> Instr:
    return Instr(text, frozenset(reads), frozenset(writes))


def eor_pattern(rd: str, rs: str, pattern: int) -> Instr:
    return _alu(f"eor {rd}, {rs}, #0x{pattern:08x}", [rd], [rs])


def and_pattern(rd: str, rs: str, pattern: int) -> Instr:
    return _alu(f"and {rd}, {rs}, #0x{pattern:08x}", [rd], [rs])


def not_pattern(rd: str, pattern: int) -> Instr:
    return _alu(f"mvn {rd}, #0x{pattern:08x}", [rd], [])


def asr(rd: str, rs: str, bits: int) -> Instr:
    _within(bits, 1, 32)
    return _shift(f"asr {rd}, {rs}, #{bits}", rd, [rs])


def lsl(rd: str, rs: str, bits: int) -> Instr:
    _within(bits, 0, 31)
    return _shift(f"lsl {rd}, {rs}, #{bits}", rd, [rs])


def lsr(rd: str, rs: str, bits: int) -> Instr:
    _within(bits, 1, 32)
    return _shift(f"lsr {rd}, {rs}, #{bits}", rd, [rs])


def asr_by(rd: str, rs: str, bits: str) -> Instr:
    return _shift(f"asr {rd}, {rs}, {bits}", rd, [rs, bits])


def add_sign(rd: str, rn: str, rs: str) -> Instr:
    """rd = rn - (rs < 0)."""
    return add_shifted(rd, rn, rs, "asr", 31)


def add_shifted(rd: str, rn: str, rs: str, how: str, bits: int) -> Instr:
    """rd = rn + (rs shifted): `how` is lsl, lsr, asr or ror."""
    return _shift(f"add {rd}, {rn}, {rs}, {how} #{bits}", rd, [rn, rs])


def orr_shifted(rd: str, rn: str, rs: str, how: str, bits: int) -> Instr:
    return _shift(f"orr {rd}, {rn}, {rs}, {how} #{bits}", rd, [rn, rs])


def add(rd: str, rn: str, value: int) -> Instr:
    """The plain 12-bit form, which every value up to 4095 has."""
    return _alu(f"addw {rd}, {rn}, #{_within(value, 0, 4095)}", [rd], [rn])


def sub(rd: str, rn: str, value: int) -> Instr:
    return _alu(f"subw {rd}, {rn}, #{_within(value, 0, 4095)}", [rd], [rn])


def add_register(rd: str, rn: str, rm: str) -> Instr:
    return _alu(f"add {rd}, {rn}, {rm}", [rd], [rn, rm])


def and_register(rd: str, rn: str, rm: str, lsl: int = 0) -> Instr:
    text = f"and {rd}, {rn}, {rm}"
    return _shift(f"{text}, lsl #{lsl}", rd, [rn, rm]) if lsl else _alu(text, [rd], [rn, rm])


def sub_register(rd: str, rn: str, rm: str) -> Instr:
    return _alu(f"sub {rd}, {rn}, {rm}", [rd], [rn, rm])


def move(rd: str, rs: str) -> Instr:
    return _alu(f"mov {rd}, {rs}", [rd], [rs])


def constant(rd: str, value: int) -> tuple[Instr, ...]:
    """Any 32-bit value, in one instruction if its upper half is 0, else in two."""
    low, high = value & 0xFFFF, value >> 16 & 0xFFFF
    first = _alu(f"movw {rd}, #0x{low:04x}", [rd], [])
    return (first, _alu(f"movt {rd}, #0x{high:04x}", [rd], [rd])) if high else (first,)


def cmp(a: str, b: str) -> Instr:
    return _alu(f"cmp {a}, {b}", ["flags"], [a, b])


def cmp_value(a: str, value: int) -> Instr:
    return _alu(f"cmp {a}, #{_within(value, -255, 255)}", ["flags"], [a])


def sub_flags(rd: str, rn: str, value: int) -> Instr:
    """Subtract, and set the flags by the result: what counts a loop down."""
    return _alu(f"subs {rd}, {rn}, #{_within(value, 0, 255)}", [rd, "flags"], [rn])


def move_if(condition: str, rd: str, value: int) -> Instr:
    """A small constant if the condition holds."""
    text = f"it {condition}\n    mov{condition} {rd}, #{_within(value, -255, 255)}"
    return Instr(text, frozenset({rd, "flags"}), frozenset({rd}), count=2)


def move_register_if(condition: str, rd: str, rs: str) -> Instr:
    text = f"it {condition}\n    mov{condition} {rd}, {rs}"
    return Instr(text, frozenset({rd, rs, "flags"}), frozenset({rd}), count=2)


def branch(condition: str, label: Label, forward: bool = False) -> Instr:
    """To the nearest such label; `condition` is eq, ne, lt..., or nothing."""
    target = f"{label.number}{'f' if forward else 'b'}"
    reads = frozenset({"flags"} if condition else ())
    return Instr(f"b{condition} {target}", reads, unit=Unit.BRANCH, target=target)


def bne_back(label: Label) -> Instr:
    return branch("ne", label)


def push(registers: Iterable[str]) -> Instr:
    names = list(registers)
    text, values = f"push {{{', '.join(names)}}}", frozenset({*names, "sp"})
    return Instr(text, values, frozenset({"sp"}), Unit.STORE, base="sp", words=len(names), stack=4 * len(names))


def pop_return(registers: Iterable[str]) -> Instr:
    """Restore what was pushed and return: lr is popped into pc."""
    names = [*registers, "pc"]
    text, values = f"pop {{{', '.join(names)}}}", frozenset({*names, "sp"})
    return Instr(text, frozenset({"sp"}), values, Unit.LOAD, base="sp", words=len(names), stack=-4 * len(names))


def grow_stack(nbytes: int) -> Instr:
    return Instr(f"sub sp, #{nbytes}", frozenset({"sp"}), frozenset({"sp"}), stack=nbytes)


def shrink_stack(nbytes: int) -> Instr:
    return Instr(f"add sp, #{nbytes}", frozenset({"sp"}), frozenset({"sp"}), stack=-nbytes)
