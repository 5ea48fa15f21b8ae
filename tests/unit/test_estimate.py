"""Estimates of cycles: machine code read right, blocks counted by hand, public measurements met within the band."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tecompile.backends.armv7em import isa
from tecompile.backends.armv7em.cycles import CAL, M4
from tecompile.backends.armv7em.instr import Instr, Label, Unit
from tecompile.board import Board, load_board
from tecompile.estimate.cores import COSTS
from tecompile.estimate.decode import decoded
from tecompile.estimate.executed import core_cycles, rule_cycles
from tecompile.estimate.memory import Traffic, loaded_from, memory_cycles
from tecompile.simulate.blocks import CodeBlock
from tecompile.simulate.toolchain import toolchains

CORTEX_M4, CORTEX_M7 = COSTS["cortex-m4"], COSTS["cortex-m7"]
FLASH, SRAM = 0x08000000, 0x20000000


def code(text: str) -> bytes:
    """Halfwords as manuals and disassemblers print them."""
    return b"".join(int(half, 16).to_bytes(2, "little") for half in text.split())


def block(text: str, **registers: int) -> CodeBlock:
    names = [*(f"r{i}" for i in range(13)), "sp", "lr"]
    return CodeBlock(FLASH, code(text), tuple(registers.get(name, SRAM) for name in names))


def signature(instr: Instr) -> tuple[object, ...]:
    return instr.unit, instr.reads, instr.writes, instr.accumulators, instr.base, instr.words


@pytest.mark.parametrize(
    ("text", "unit", "reads", "writes", "loaded"),
    [  # encodings as GNU binutils prints them
        ("fb24 5402", Unit.MULTIPLY, "r4 r2 r5", "r4", 0),  # smlad r4, r4, r2, r5
        ("fbc1 7803", Unit.MULTIPLY, "r1 r3 r7 r8", "r7 r8", 0),  # smlal r7, r8, r1, r3
        ("fb02 f403", Unit.MULTIPLY, "r2 r3", "r4", 0),  # mul r4, r2, r3
        ("fa2f f282", Unit.SIMD, "r2", "r2", 0),  # sxtb16 r2, r2
        ("fa4f f282", Unit.SHIFT, "r2", "r2", 0),  # sxtb r2, r2
        ("f303 0307", Unit.SIMD, "r3", "r3", 0),  # ssat r3, #8, r3
        ("eac0 4007", Unit.SIMD, "r0 r7", "r0", 0),  # pkhbt r0, r0, r7, lsl #16
        ("eb00 73e3", Unit.SHIFT, "r0 r3", "r3", 0),  # add r3, r0, r3, asr #31
        ("eb00 0303", Unit.ALU, "r0 r3", "r3", 0),  # add r3, r0, r3
        ("e9d0 2302", Unit.LOAD, "r0", "r2 r3", 8),  # ldrd r2, r3, [r0, #8]
        ("e8b0 001c", Unit.LOAD, "r0", "r0 r2 r3 r4", 12),  # ldmia r0!, {r2, r3, r4}
        ("f912 cb01", Unit.LOAD, "r2", "r2 r12", 1),  # ldrsb r12, [r2], #1
        ("8843", Unit.LOAD, "r0", "r3", 2),  # ldrh r3, [r0, #2]
        ("4b02", Unit.LOAD, "", "r3", 4),  # ldr r3, [pc, #8]
        ("f803 2b01", Unit.STORE, "r2 r3", "r3", 0),  # strb r2, [r3], #1
        ("b5f0", Unit.STORE, "r4 r5 r6 r7 lr sp", "sp", 0),  # push {r4, r5, r6, r7, lr}
        ("bdf0", Unit.LOAD, "sp", "r4 r5 r6 r7 pc sp", 20),  # pop {r4, r5, r6, r7, pc}
        ("3801", Unit.ALU, "r0", "r0 flags", 0),  # subs r0, #1
        ("d1fc", Unit.BRANCH, "", "", 0),  # bne
        ("f000 f802", Unit.BRANCH, "", "lr", 0),  # bl
        ("bfb8", Unit.ALU, "", "", 0),  # it lt
        ("ee07 ca90", Unit.MULTIPLY, "r12", "s15", 0),  # vmov s15, r12
        ("ee77 7ae1", Unit.MULTIPLY, "s15 s3", "s15", 0),  # vsub.f32 s15, s15, s3
        ("eee7 7a00", Unit.MULTIPLY, "s14 s0 s15", "s15", 0),  # vfma.f32 s15, s14, s0
        ("ed2d 8b04", Unit.STORE, "sp s16 s17 s18 s19", "sp", 0),  # vpush {d8, d9}
    ],
)
def test_known_encodings(text: str, unit: Unit, reads: str, writes: str, loaded: int) -> None:
    (found,) = decoded(code(text))
    assert found.instr.unit is unit
    assert found.instr.reads == set(reads.split())
    assert found.instr.writes == set(writes.split())
    assert found.loaded_bytes == loaded


def test_what_is_unknown_takes_a_cycle() -> None:
    """As do instructions of later architectures."""
    assert [one.instr.unit for one in decoded(code("ef00 0150 bf00"))] == [Unit.ALU, Unit.ALU]


ALL_KINDS: Sequence[Instr] = (
    *(isa.ldr("r2", "r0", 4), isa.ldr_next("r9", "r1"), isa.ldr_indexed("r2", "r0", "r3", 2)),
    *(isa.ldrb("r2", "r10", 300), isa.ldrsb("r2", "r0", -3), isa.ldrsb_next("r2", "r0"), isa.ldrh("r2", "r0")),
    *(isa.ldrd("r2", "r3", "r0", 8), isa.ldrd_next("r2", "r3", "r0"), isa.ldm("r0", ["r2", "r3", "r4"])),
    *(isa.ldm_next("r12", ["r2", "r3"]), isa.stm_next("r1", ["r2", "r3", "lr"]), isa.str_("r2", "sp", 4)),
    *(isa.str_next("r2", "r1"), isa.strd("r2", "r3", "r1", 16), isa.strb("r2", "r8"), isa.strb_next("r2", "r1")),
    *(isa.strh("r2", "r1", 2), isa.strh_next("r2", "r1"), isa.sxtb16("r2", "r3"), isa.sxtb16("r2", "r3", 8)),
    *(isa.sxtab16("r2", "r3", "r4", 8), isa.sxtb("r2", "r3"), isa.sxtb("r9", "r3", 16), isa.uxtb("r2", "r3")),
    *(isa.sadd16("r2", "r3", "r4"), isa.pkhbt("r2", "r3", "r4"), isa.ssat8("r2", "r3", 7), isa.ssat16("r2", "r3")),
    *(isa.usat("r2", 8, "r3", 4), isa.eor_pattern("r2", "r3", 0x00FF00FF), isa.and_pattern("r2", "r3", 0xFF00FF00)),
    *(isa.not_pattern("r2", 0), isa.asr("r2", "r3", 4), isa.lsl("r9", "r3", 4), isa.lsr("r2", "r3", 31)),
    *(isa.asr_by("r2", "r3", "r4"), isa.add_sign("r2", "r3", "r4"), isa.orr_shifted("r2", "r3", "r4", "lsl", 8)),
    *(isa.add("r2", "r3", 4095), isa.sub("r2", "r3", 300), isa.add_register("r2", "r3", "r4")),
    *(isa.and_register("r2", "r3", "r4"), isa.sub_register("r2", "r3", "r4"), isa.move("r9", "r3")),
    *(*isa.constant("r2", 0x12345678), isa.cmp("r2", "r9"), isa.cmp_value("r2", 5), isa.cmp_value("r2", -5)),
    *(isa.sub_flags("r2", "r2", 1), isa.sub_flags("r9", "r3", 200), isa.push(["r4", "r5", "lr"])),
    *(isa.push(["r4", "r8", "lr"]), isa.pop_return(["r4", "r5"]), isa.pop_return(["r8"]), isa.grow_stack(16)),
    *(isa.shrink_stack(16), isa.smlad("r2", "r3", "r4", "r5"), isa.smlal("r2", "r3", "r4", "r5")),
    *(isa.smmla("r2", "r3", "r4", "r5"), isa.smmlar("r2", "r3", "r4", "r5")),
)


def test_machine_code_is_read_as_the_generators_meant_it(tmp_path: Path) -> None:
    """What they say of an instruction, against what is read from what an assembler makes of its text."""
    toolchain = next(toolchains(load_board("qemu-m7")), None)
    if toolchain is None:
        pytest.skip("no compiler for the Cortex-M7")
    source = tmp_path / "all.S"
    lines = [".syntax unified", ".thumb", ".section .text", *map(str, ALL_KINDS), "1:", str(isa.bne_back(Label(1)))]
    source.write_text("\n".join([*lines, ""]))
    command = [*toolchain.command, *toolchain.flags.cpu, "-c", str(source), "-o", str(tmp_path / "all.o")]
    subprocess.run(command, check=True, capture_output=True)
    text = next(section for section in read_sections(tmp_path / "all.o") if section)
    found = [one.instr for one in decoded(text)]
    for instr, read in zip((*ALL_KINDS, replace(isa.bne_back(Label(1)), reads=frozenset())), found, strict=True):
        assert signature(read) == signature(instr), str(instr)


def read_sections(path: Path) -> list[bytes]:
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as stream:
        return [s.data() for s in ELFFile(stream).iter_sections() if s.name == ".text"]


LOOP = block("6803 6844 fb23 5504 3801 d1fa", r0=FLASH + 64)  # ldr r3, [r0]; ldr r4, [r0, #4]; smlad; subs; bne


def test_a_loop_counted_by_hand() -> None:
    """M4: loads 2 and 1, a multiplication, a subtraction, a branch of 3. M7: both loads; smlad waits one and goes
    with the subtraction; the branch."""
    assert rule_cycles(LOOP, CORTEX_M4) == 2 + 1 + 1 + 1 + 3
    assert rule_cycles(LOOP, CORTEX_M7) == 3
    assert core_cycles({LOOP: 100}, CORTEX_M4) == pytest.approx(800 * CORTEX_M4.factor)


def board_of(wait_states: int, line_bytes: int, data_cache: int = 0) -> Board:
    plain = load_board("qemu-m4")
    flash = replace(plain.memory(plain.code), origin=FLASH, wait_states=wait_states, line_bytes=line_bytes)
    return replace(plain, memories=(flash, *plain.memories[1:]), data_cache=data_cache)


def test_what_comes_from_flash_is_told_by_addresses() -> None:
    flash = board_of(3, 16).memory("FLASH")
    assert loaded_from(flash, LOOP) == 8
    assert loaded_from(flash, replace(LOOP, registers=(SRAM,) * 15)) == 0
    # add r1, r0, #8; ldr r3, [r1], #4; ldr r4, [r1]; ldr r1, [r4]; ldr r1, [r1]
    moved = "f100 0108 f851 3b04 680c 6821 6809"
    assert loaded_from(flash, block(moved, r0=FLASH, r1=SRAM)) == 8
    assert loaded_from(flash, block("4b02")) == 4  # a constant beside the code


@pytest.mark.parametrize(
    ("board", "traffic", "loaded", "cycles"),
    [
        (board_of(0, 4), Traffic(1000, 500), 5000, 0),
        (board_of(3, 16), Traffic(1000, 500), 1600, 300),
        (board_of(3, 16, data_cache=4096), Traffic(3200, 640), 9600, (100 + 20) * CORTEX_M7.line_cycles),
        (board_of(3, 16, data_cache=4096), Traffic(6400, 640), 12800, (400 + 20) * CORTEX_M7.line_cycles),
        (board_of(3, 16, data_cache=4096), Traffic(3200, 0), 320, 10 * CORTEX_M7.line_cycles),
    ],
)
def test_memories_take_their_time(board: Board, traffic: Traffic, loaded: int, cycles: float) -> None:
    assert memory_cycles(board, CORTEX_M7, traffic, loaded) == pytest.approx(cycles)


def within(core: str, estimate: float, measured: float) -> bool:
    return abs(estimate / measured - 1) <= COSTS[core].band / 100


# The executed code was counted by block, outside of this repository; what is kept of it are the rules' cycles.


@pytest.mark.parametrize(
    ("rules", "lines", "ms"),
    [  # cycles by CAL, lines that a cache of 16 KiB exchanges; TinyEngine's README, STM32H743 at 480 MHz
        (13_131_409, 98_348, 27),  # mcunet-vww0
        (25_076_717, 188_096, 51),
        (115_485_839, 1_197_300, 234),
        (13_263_874, 90_654, 25),  # mcunet-in0
        (27_000_959, 283_806, 56),
        (138_498_376, 1_578_441, 280),
        (166_690_296, 1_810_370, 336),
        (229_808_805, 2_790_841, 463),
        (11_951_657, 64_213, 23),  # proxyless-w0.3-r64, -r176, mbv2-w0.3-r64
        (83_444_961, 851_621, 176),
        (11_420_230, 90_888, 23),
    ],
)
def test_the_m7_meets_public_figures(rules: int, lines: int, ms: int) -> None:
    assert CORTEX_M7.model is CAL
    estimate = CORTEX_M7.factor * rules + CORTEX_M7.line_cycles * lines
    assert within("cortex-m7", estimate, ms * 480_000)
    assert estimate == pytest.approx(ms * 480_000, rel=0.05)


@pytest.mark.parametrize(
    ("core", "rules", "loaded", "per_second"),
    [  # cycles by the rules, bytes loaded from flash; MLPerf Tiny v1.0, closed, OctoML: vww, ic, kws, ad
        ("cortex-m4", 31_000_631, 6_062_816, 3.320),
        ("cortex-m4", 40_092_885, 7_112_524, 2.567),
        ("cortex-m4", 10_516_191, 2_174_464, 10.019),
        ("cortex-m4", 810_131, 271_736, 116.212),
        ("cortex-m33", 31_079_570, 0, 4.310),
        ("cortex-m33", 40_263_376, 0, 3.163),
        ("cortex-m33", 10_545_420, 0, 13.140),
        ("cortex-m33", 794_258, 0, 159.579),
    ],
)
def test_the_m4_and_m33_meet_public_figures(core: str, rules: int, loaded: int, per_second: float) -> None:
    """The STM32L4R5 waits 5 cycles for 8 bytes at 120 MHz; the nRF5340's flash, at 128 MHz, is behind a cache."""
    costs, mhz = COSTS[core], {"cortex-m4": 120, "cortex-m33": 128}[core]
    assert costs.model is M4
    estimate = costs.factor * rules + memory_cycles(board_of(5, 8), costs, Traffic(), loaded)
    assert within(core, estimate, mhz * 1e6 / per_second)
    assert estimate == pytest.approx(mhz * 1e6 / per_second, rel=0.055)
