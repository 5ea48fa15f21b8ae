"""What a backend makes of a Plan: C calls, constant arrays and kernel sources. No text yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..graph import Array, Op
from ..planner.plan import Plan

CODE_OF_A_CALL, CODE_OF_A_MODEL = 80, 1500  # bytes, as in real models

ParamValue: TypeAlias = int | str | tuple[int, ...]  # a number, a C identifier, or a small array


@dataclass(frozen=True)
class ConstantArray:
    """A table in flash: packed weights, biases, multipliers, lookup tables."""

    name: str
    ctype: str  # int8_t, int32_t, uint32_t, ...
    values: Array
    comment: str = ""
    alignment: int = 4

    @property
    def nbytes(self) -> int:
        return int(self.values.nbytes)


@dataclass(frozen=True)
class KernelSource:
    """A file of kernels/ or a generated assembly kernel that the program needs, by file name."""

    name: str  # te_conv2d.h, te_gemm_x256_2x4_k48_c16_once_s9_1a2b3c4d.S
    text: str
    code_bytes: int = 0  # as far as they are known without a compiler


@dataclass(frozen=True)
class Call:
    """One operator lowered: `kernel(&params, in..., out, strip, scratch, variables...)`."""

    op: Op
    function: str  # <model>_L07_dw
    kernel: str  # C function; also names the params struct <kernel>_t
    headers: tuple[str, ...]  # KernelSources that declare it and what its parameters name
    params: Mapping[str, ParamValue]  # in the order of the struct
    constants: tuple[ConstantArray, ...] = ()
    sources: tuple[KernelSource, ...] = ()
    many_inputs: bool = False  # the kernel takes its inputs as an array and their number
    variables: tuple[str, ...] = ()  # names of the state that the kernel is given


@dataclass(frozen=True)
class Program:
    """A whole model, ready to be rendered."""

    name: str  # C identifier of the model
    plan: Plan
    calls: tuple[Call, ...]
    sources: tuple[KernelSource, ...]  # every kernel file needed, once

    @property
    def constants(self) -> tuple[ConstantArray, ...]:
        return tuple(c for call in self.calls for c in call.constants)

    @property
    def assembly(self) -> frozenset[str]:
        """Names of its functions."""
        return frozenset(s.name.removesuffix(".S") for s in self.sources if s.name.endswith(".S"))

    @property
    def weights_bytes(self) -> int:
        return sum(c.nbytes for c in self.constants)

    @property
    def flash_bytes(self) -> int:
        """As far as it is known without a compiler: weights, tables, generated assembly."""
        return self.weights_bytes + sum(source.code_bytes for source in self.sources)

    @property
    def likely_flash_bytes(self) -> int:
        """With C: kernels that are inlined, as far as they tell, and what is around them and around assembly."""
        plain = (call for call in self.calls if not any(source.code_bytes for source in call.sources))
        inlined = sum(self.plan.choices[call.op].code_bytes for call in plain)
        return self.flash_bytes + inlined + CODE_OF_A_CALL * len(self.calls) + CODE_OF_A_MODEL
