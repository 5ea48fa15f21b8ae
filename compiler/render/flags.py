"""How generated C is compiled: shared by our own builds and the projects we write, so they can't diverge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..board import Board


@dataclass(frozen=True)
class Flags:
    """Arguments of one compiler driver; `-T link.ld` goes to the linker besides, where there is a script."""

    cpu: tuple[str, ...]
    compile: tuple[str, ...]
    link: tuple[str, ...]


# Never -ffreestanding (memcpy of a word would become a call), never -Ofast (borders would round differently).
COMMON = (
    *("-std=c99", "-O2", "-g", "-Wall", "-Wextra", "-ffp-contract=off"),
    *("-ffunction-sections", "-fdata-sections"),
)
UNSANITIZED = ("-fno-sanitize=all",)
ARM = ("-fno-unwind-tables", "-fno-asynchronous-unwind-tables")

# What LLVM calls gcc's -mfpu.
LLVM_FPU: Mapping[str, str] = {
    "fpv4-sp-d16": "+vfp4d16sp",
    "fpv5-sp-d16": "+fp_armv8d16sp",
    "fpv5-d16": "+fp_armv8d16",
    "": "",
}


def gcc_flags(board: Board) -> Flags:
    floats = (f"-mfpu={board.fpu}", "-mfloat-abi=hard") if board.fpu else ("-mfloat-abi=soft",)
    return Flags((*board.core.gcc, *floats), COMMON + ARM, ("-nostartfiles", "-Wl,--gc-sections"))


def zig_flags(board: Board) -> Flags:
    """zig's clang compiles freestanding and sanitized unless told otherwise, and chooses the entry itself."""
    target = "thumb-freestanding-eabihf" if board.fpu else "thumb-freestanding-eabi"
    cpu = ("-target", target, f"-mcpu={board.core.zig}{LLVM_FPU[board.fpu]}")
    link = ("-nostdlib", "-rtlib=compiler-rt", "-Wl,-e,Reset_Handler", "-Wl,--gc-sections")
    return Flags(cpu, (*COMMON, *ARM, "-fhosted", "-fomit-frame-pointer", *UNSANITIZED), link)


def host_flags(zig: bool = False) -> Flags:
    return Flags((), (*COMMON, *UNSANITIZED) if zig else COMMON, ())
